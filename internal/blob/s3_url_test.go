package blob_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
)

func TestParseS3(t *testing.T) {
	tests := map[string]blob.S3Place{
		"s3://papers":                             {Bucket: "papers"},
		"s3://papers/":                            {Bucket: "papers"},
		"s3://papers/a/b.c/":                      {Bucket: "papers", Prefix: "a/b.c"},
		"s3://papers?region=eu-central-1":         {Bucket: "papers", Region: "eu-central-1"},
		"s3://papers/x?endpoint=s3.example.org":   {Bucket: "papers", Prefix: "x", Endpoint: "s3.example.org"},
		"s3://papers?endpoint=https://[::1]:9000": {Bucket: "papers", Endpoint: "[::1]:9000"},
		"s3://papers?endpoint=http://10.0.0.1:9000/&region=us-east-1": {
			Bucket: "papers", Endpoint: "10.0.0.1:9000", Plain: true, Region: "us-east-1",
		},
		"s3://papers?endpoint=http%3A%2F%2Flocalhost%3A9000": {Bucket: "papers", Endpoint: "localhost:9000", Plain: true},
	}
	for text, want := range tests {
		got, err := blob.ParseS3(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
		if again, err := blob.ParseS3(got.String()); err != nil || again.Bucket != want.Bucket || again.Prefix != want.Prefix {
			t.Errorf("%s is told as %s: %v", text, got, err)
		}
	}
}

func TestParseS3_refuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                                "not of the form",
		"s3:papers":                       "not of the form",
		"s3://papers#x":                   "not of the form",
		"s3://pap%zzers":                  "not of the form",
		"s3://":                           "bucket",
		"s3://p":                          "bucket",
		"s3://Papers":                     "bucket",
		"s3://papers:9000/x":              "bucket",
		"s3://" + strings.Repeat("p", 64): "bucket",
		"s3://key:hunter2@papers/x":       "AWS_ACCESS_KEY_ID",
		"s3://hunter2@papers/x":           "AWS_ACCESS_KEY_ID",
		"s3://papers/a//b":                "prefix",
		"s3://papers/../x":                "prefix",
		"s3://papers/a%20b":               "prefix",
		"s3://papers/a%0Ab":               "prefix",
		"s3://papers/é":                   "prefix",
		"s3://papers/" + strings.Repeat("x", 513):       "prefix",
		"s3://papers?secret=hunter2":                    `parameter "secret": there are endpoint and region`,
		"s3://papers?region=a&region=b":                 "given 2 times",
		"s3://papers?region=EU_central":                 "region",
		"s3://papers?region=" + strings.Repeat("x", 65): "region",
		"s3://papers?%zz":                               "NAME=VALUE",
		"s3://papers?endpoint=ftp://host":               "endpoint: want https://HOST:PORT",
		"s3://papers?endpoint=https://":                 "endpoint: want",
		"s3://papers?endpoint=https://key:hunter2@host": "endpoint: want",
		"s3://papers?endpoint=https://host/path":        "endpoint: want",
		"s3://papers?endpoint=https://host:port":        "endpoint: want",
	} {
		_, err := blob.ParseS3(text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%.60q: %v, want %q", text, err, says)
		}
	}
}
