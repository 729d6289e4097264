process.stderr.write('replay: not written yet\n');
process.exitCode = 2;
