// main.swift - figures of the cold store alone: `cold-run DIRECTORY [records] [ring|threads]`. It fills a store in
// DIRECTORY with records of about 180 bytes on disk (values of 512 bytes, compressed 3.6 times), reads them with a cold
// and a warm page cache, ends with and without a clean mark, and measures how long the next start takes. A line a
// figure. With a limit on DIRECTORY (a small tmpfs) it shows what a full disk does: `refused` counts, nothing read is
// wrong.
ColdRun.run()
