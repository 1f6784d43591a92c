//! `faultbook` as a C library.
