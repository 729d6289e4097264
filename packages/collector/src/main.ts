process.stderr.write('collector: not written yet\n');
process.exitCode = 2;
