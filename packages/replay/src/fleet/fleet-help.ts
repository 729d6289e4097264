/** What `replay fleet --help` says below the options. */
export const FLEET_HELP = `
Of a folder, files are read whose names end in .arrows, .txt or .log, or these with .gz; any file is read
that is named itself. A trace does not name its host, so the folders do: in FOLDER/web1/monday.arrows it is
web1, in FOLDER/web1.arrows too. Several paths are taken as if they lay in one folder. Of a server
(nats://host[:port]) all runs are read, by the names that they were published under; of one that goes on, what
is there by now.

A trace that cannot be read is a row that says so and is in no figure; the exit code is 2 then, after all others
were replayed. Ctrl-C ends with what was replayed by then, and 130. Times of different hosts are not compared.

Examples:
  replay fleet traces/                           all of a folder
  replay fleet --design merged,fixes-v5 traces/  designs side by side
  replay fleet --json web*.arrows                for a program
  replay fleet --report fleet.html traces/       for a browser, too
  replay fleet nats://hub                        all runs on a server
  replay fleet nats://hub --share                the same, by the machines that run replay fleet-worker nats://hub
  replay fleet --openmetrics traces/ > fleet.prom`;

export const FLEET_WORKER_HELP = `
It takes one run after the other, reads it from the server, and puts the answer there. A run whose worker is lost
is given to another within seconds; answers are kept for a day, and who asks the same of the same run has them at
once. Workers and who asks must run the same build of replay (--version says the same, with a commit and no
"+changes" behind it, or the files are the same): others have jobs of their own. Ctrl-C gives back what is under
way.

Exit codes: 2 wrong usage, or a server that cannot be asked; 130 interrupted.

Examples:
  replay fleet-worker nats://hub                 until Ctrl-C, in as many processes as there are CPUs
  replay fleet-worker --workers 2 nats://hub     leave CPUs to others`;
