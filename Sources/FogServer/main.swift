// main.swift - the `fog-server` executable: hands the process's arguments to `Boot` and exits with its status.
internal import CLinux
internal import Server

exit(Boot.run(CommandLine.arguments))
