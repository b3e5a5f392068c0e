package verdict_test

import (
	"testing"

	"github.com/quire-dev/quire/internal/verdict"
)

func TestSniff(t *testing.T) {
	tests := map[string]struct{ head, contentType, want string }{
		"nothing":            {"", "text/html", "application/octet-stream"},
		"PDF":                {"%PDF-1.7\n", "text/html", "application/pdf"},
		"PDF after junk":     {"HTTP/1.1 200 OK\r\n\r\n%PDF-1.7\n", "", "application/pdf"},
		"page named PDF":     {"\n<!doctype HTML>\n<html>", "application/pdf", "text/html"},
		"page about PDF":     {"<html><p>%PDF-1.7", "", "text/html"},
		"page after BOM":     {"\xef\xbb\xbf<html>", "", "text/html"},
		"page after comment": {"<!-- x --> <HEAD>", "", "text/html"},
		"XHTML":              {`<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>`, "application/xhtml+xml", "text/html"},
		"fragment":           {"<div class=error>", "", "text/html"},
		"text said HTML":     {"Please log in", "text/html; charset=utf-8", "text/html"},
		"text":               {"Please log in", "", "text/plain"},
		"binary said HTML":   {"\x00\x01\x02\x03\xfe", "text/html", "application/octet-stream"},
		"JATS":               {`<?xml version="1.0"?><article article-type="research-article">`, "", "application/jats+xml"},
		"HTML's article":     {"<article><h1>x</h1>", "", "text/plain"},
		"other XML":          {`<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0">`, "", "text/xml"},
		"PostScript":         {"%!PS-Adobe-3.0\n", "", "application/postscript"},
		"open comment":       {"<!-- never closed", "", "text/html"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := verdict.Sniff([]byte(tt.head), tt.contentType); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
