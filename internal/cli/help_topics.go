package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// newTopics makes what quire help tells beside the commands. A command without a
// function to run is a topic.
func newTopics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "environment", Short: "The environment variables that mean something",
			Long: strings.TrimSpace(topicEnvironment),
		},
		{
			Use: "exit-codes", Short: "What the exit codes mean",
			Long: strings.TrimSpace(topicExitCodes),
		},
		{
			Use: "formats", Short: "The formats that are read and written",
			Long: strings.TrimSpace(topicFormats),
		},
	}
}

const topicEnvironment = `
A setting comes from its flag, else from its variable, else from the
configuration file, else it has its default. An empty variable counts as none.

For flags of every command:

  QUIRE_DATA         --data: where everything is kept
  QUIRE_CONFIG       --config: the configuration file
  QUIRE_STORE        --store: the queue; may hold a password
  QUIRE_ARTIFACTS    --artifacts: where the files go
  QUIRE_CONTACT      --contact: your e-mail address
  QUIRE_LOG_FORMAT   --log-format: text or json
  QUIRE_LOG_LEVEL    --log-level: debug, info, warn or error
  QUIRE_LOG_WORK     --log-work: the work of which all is logged
  QUIRE_PROGRESS     --progress: auto, tui, plain or none

Every key of the configuration has a variable: QUIRE_ and its path in capitals,
with _ for the dots. Lists are words with commas, maps NAME=VALUE with commas,
and both can be YAML in brackets.

  QUIRE_ORCHESTRATOR_MAX_WORKERS=16
  QUIRE_ORCHESTRATOR_MAX_PER_RESOLVER=unpaywall=2,crossref=3
  QUIRE_RESOLVERS_ORDER=pmc,arxiv,unpaywall
  QUIRE_LIMITS='{host:arxiv.org: {in_flight: 1, every: 3s}}'

Secrets come from here, or from a file that api_key_file names, and from nowhere
else. They are shown as ***.

  QUIRE_RESOLVERS_CORE_API_KEY      the key of a source, here core
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
                                    keys of an S3 service
  AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE
                                    or the file that has them
  AWS_REGION, AWS_DEFAULT_REGION    its region, if --artifacts says none
  PGPASSWORD, PGPASSFILE            the password of PostgreSQL

A variable that begins with QUIRE_ and looks like one of these, but sets nothing,
is an error that names the nearest one.

Others:

  NO_COLOR               no colours, whatever it says
  TERM                   dumb: lines of progress, no live view
  CI                     the same
  TMPDIR                 for temporary files that are not part of the data
  QUIRE_COMPLETE_WITHIN  how long TAB may ask the queue; 300ms
  SOURCE_DATE_EPOCH      the date on man pages that quire generate makes
`

const topicExitCodes = `
  0    all good
  1    the command failed; the last line on stderr says at what and why
  2    usage: an unknown command or flag, a wrong value, a wrong identifier
  3    it finished, but some jobs ended in error, some rows were rejected, or
       something was found: quire verify, quire export bagit
  4    configuration or credentials: nothing was begun
  130  interrupted, and can be resumed: the same command goes on where it was

An error is one line on stderr, quire: DOING WHAT: TO WHAT: WHY. Control
characters in it are escaped, so that no server can write to your terminal.

The first Ctrl-C or SIGTERM lets running requests finish, for at most
orchestrator.grace, and hands the rest back; the second one ends the program at
once. Neither loses anything. A run without --drain that SIGTERM ends has done
its work: 0.

That nobody reads on (quire queue list | head) is no error.
`

const topicFormats = `
Read by get, plan and queue import, from files of any size, gzip or not, and
from stdin. The format is told from the name and the contents; --format says it
where that fails.

  txt        an identifier a line, in any form people write them
  csv        a table, with commas, semicolons or tabs; --id-column names the
             column if it has no usual name
  jsonl      an object a line, with fields such as doi; --id-column as for csv
  bibtex     BibTeX and biblatex
  ris        RIS, and the tagged files of Web of Science
  csl-json   items of CSL, as Zotero and Crossref give them
  unpaywall  records of Unpaywall, a line each, as in its dumps
  openalex   works of OpenAlex: an answer, an array, or a work a line
  auto       told from the name and the contents; the default

Written by export: manifest (JSON Lines), csv, bibtex, bagit. Written by report:
text, md, html, json. --json makes the output of every other command one JSON
document, or JSON Lines for lists.

What exactly is read of each format, and within which limits, is in
docs/formats.md.
`
