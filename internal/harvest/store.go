package harvest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/sidecar"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// file reads the body into the part in hand, judges it on the way, and stores it if
// it is what it claims to be.
func (w walk) file(ctx context.Context, resp *fetch.Response) queue.Outcome {
	p := w.part
	n, err := io.Copy(io.MultiWriter(&p.desk.judge, diskWriter{p.out}), p.desk.body)
	p.have += n
	if err != nil {
		if disk, ok := errors.AsType[*diskError](err); ok {
			p.mark = nil
			return w.notStored(ctx, resp, disk.err)
		}
		p.mark = resp.Mark(p.have)
		return w.failed(ctx, resp.URL, resp.Status, err)
	}
	v := p.desk.judge.Verdict()
	sig := w.served(v.Class)
	if !v.Level.Usable() && v.Class != paper.WrongWork {
		return w.rejected(resp, v.Class, v.Reason, sig)
	}
	b, err := p.out.Commit(ctx, v.Ext)
	if err != nil {
		return w.notStored(ctx, resp, err)
	}
	if w.shared(resp.URL, &v, b); v.Class == paper.WrongWork {
		return w.putAside(resp, v, b, sig)
	}
	return w.stored(resp, v, b)
}

// shared makes a verdict suspect if the same bytes came from the same host for other
// works: a notice, a cover page, a request to log in. A file that bears the work's
// own title or DOI is no such thing.
func (w walk) shared(url string, v *verdict.Verdict, b blob.Blob) {
	if !v.Level.Usable() || v.Identity == verdict.Confirmed {
		return
	}
	others, err := w.cfg.Owners.Claim(b.SHA256, w.cfg.HostKey(url), marks(w.story))
	if err != nil {
		w.cfg.Log.Warn("which works share a file is not kept for later runs", "error", err)
	}
	if len(others) >= manyOwners {
		v.Level, v.Class = verdict.Suspect, paper.WrongWork
		v.Reason = fmt.Sprintf("another work's file, or no work: its host gave the same for %d others, such as %s", len(others), others[0])
		w.cfg.Log.Warn("one file for many works; look at those that have it, too",
			"artifact_id", w.job.ArtifactID, "sha256", b.SHA256, "url", url, "others", others)
	}
}

// putAside keeps a file that is suspected to be another work's for a human to look
// at, and goes on to the next candidate. It does not get into the link tree.
func (w walk) putAside(resp *fetch.Response, v verdict.Verdict, b blob.Blob, sig queue.Signal) queue.Outcome {
	w.recovered()
	w.story.at().Kept = w.describe(resp.URL, v, b)
	return w.rejected(resp, v.Class, v.Reason, sig)
}

// describe says what a file is and where it came from.
func (w walk) describe(url string, v verdict.Verdict, b blob.Blob) *paper.File {
	t := w.story.at()
	f := &paper.File{
		Path: strings.TrimSuffix(w.cfg.BlobDir, "/") + "/" + b.Path, SHA256: b.SHA256, Bytes: b.Bytes, MediaType: v.MediaType,
		Verdict: string(v.Level), Reason: clip(v.Reason, maxNote), Identity: string(v.Identity), URL: url, Resolver: t.Source,
		License: w.story.license(t.Candidate), Version: t.Version,
	}
	if v.Pages > 0 {
		f.Pages = &v.Pages
	}
	return f
}

// rejected notes a file that is not what it claims to be.
func (w walk) rejected(resp *fetch.Response, class paper.Class, note string, sig queue.Signal) queue.Outcome {
	if w.story.reread(class, note) {
		return w.goOn(sig)
	}
	w.evidence.note(w.story.Artifact, w.story.at().Candidate, class)
	w.story.hop(paper.Hop{URL: resp.URL, Status: resp.Status, Class: class, Note: note})
	w.story.fail(class, note)
	return w.goOn(sig)
}

// stored finishes the job: the file is whole and durable, so its record and the
// ack may say so.
func (w walk) stored(resp *fetch.Response, v verdict.Verdict, b blob.Blob) queue.Outcome {
	st, t := w.story, w.story.at()
	file := w.describe(resp.URL, v, b)
	at, hops := st.At, t.Hops
	st.hop(paper.Hop{URL: resp.URL, Status: resp.Status})
	t.Over, st.At = true, nil
	rec := st.record(file)
	rec.At, rec.Attempts, rec.QuireVersion = time.Now().UTC().Truncate(time.Millisecond), w.job.Attempts, w.cfg.Version
	if err := w.name(rec, b.Path); err != nil {
		t.Over, st.At, t.Hops = false, at, hops // as if it had not been asked for
		return w.noDisk(err)
	}
	w.evidence.note(st.Artifact, t.Candidate, "")
	w.recovered()
	return queue.Outcome{
		Verb: queue.Finish, State: queue.Done, Reason: "stored",
		Result: encode(file), Record: encode(rec), Signal: queue.Signal{Kind: queue.OK},
	}
}

// name gives the file its name in the tree for people, with its sidecar. Its error
// says that storage is out of service: the tree can be made again, and what stands
// in a link's way is no reason to get the file once more.
func (w walk) name(rec paper.Record, blobPath string) error {
	if w.cfg.Links == nil {
		return nil
	}
	name := w.story.Artifact.Path()
	err := w.cfg.Links.Link(name, blobPath)
	if err == nil && w.cfg.Sidecars {
		err = w.cfg.Links.Write(name+sidecar.Ext, sidecar.Encode(rec))
	}
	if err != nil && !blob.OutOfService(err) {
		w.cfg.Log.Warn("file stored, but not linked", "artifact_id", w.job.ArtifactID, "error", err)
		err = nil
	}
	return err
}

// encode writes JSON without escaping the & of URLs, which would make six bytes
// of each.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only strings, numbers and slices of them
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// notStored decides what it means that a file could not be kept. What neither
// waiting nor another attempt mends, such as something else in its place, ends
// the candidate, so that its host is not asked for it for ever.
func (w walk) notStored(ctx context.Context, resp *fetch.Response, err error) queue.Outcome {
	w.Leave()
	switch {
	case ctx.Err() != nil:
		return w.handBack("", queue.Signal{})
	case blob.OutOfService(err), errors.Is(err, fs.ErrNotExist): // a directory was removed: it is made again
		return w.noDisk(err)
	default:
		return w.rejected(resp, paper.Config, err.Error(), queue.Signal{Kind: queue.OK})
	}
}

// diskError tells a failing disk from a failing host in a copy between them.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }

type diskWriter struct{ w io.Writer }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		err = &diskError{err}
	}
	return n, err
}
