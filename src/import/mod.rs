//! Other clients' configuration files, one file per format, read into server entries and written back.
