package testweb

import (
	"crypto/md5" // Zenodo's checksums
	"encoding/hex"
	"encoding/json"
	"strings"
)

// indexZenodo files a record under its number and that of its concept, and marks
// its PDFs. Their checksums become those of the made PDFs: the real files are
// not there.
func (rp *Replay) indexZenodo(body []byte) {
	var about struct {
		ID      json.Number
		Concept string `json:"conceptrecid"`
	}
	var record map[string]any
	if json.Unmarshal(body, &about) != nil || json.Unmarshal(body, &record) != nil {
		return
	}
	files, _ := record["files"].([]any)
	for _, file := range files {
		f, _ := file.(map[string]any)
		name, _ := f["key"].(string)
		links, _ := f["links"].(map[string]any)
		link, _ := links["self"].(string)
		if strings.HasSuffix(strings.ToLower(name), ".pdf") && link != "" {
			key := urlKey(link)
			rp.pdfs[key] = true
			sum := md5.Sum(replayPDF(key))
			f["checksum"] = "md5:" + hex.EncodeToString(sum[:])
		}
	}
	for _, id := range []string{prefixed("zenodo:", about.ID.String()), prefixed("concept:", about.Concept)} {
		if id != "" && rp.records["zenodo "+id] == nil {
			rp.records["zenodo "+id] = record
		}
	}
}

// indexBioRxiv files a preprint under its server and DOI.
func (rp *Replay) indexBioRxiv(body []byte) {
	var post struct{ Server, DOI string }
	if json.Unmarshal(body, &post) != nil {
		return
	}
	if key := "biorxiv " + strings.ToLower(post.Server+":"+post.DOI); rp.records[key] == nil {
		rp.records[key] = json.RawMessage(body)
	}
}
