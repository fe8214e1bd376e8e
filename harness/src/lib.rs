//! The program: environments, interpreter, recorder, database clients, reports, command line.
