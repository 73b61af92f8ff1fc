// main.swift - the `fog-server` executable: hands the process's arguments to `Server.boot` and exits with its status.
