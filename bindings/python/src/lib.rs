//! `faultbook` as a Python package.
