//! "May this happen": which tools are offered and may be called.
