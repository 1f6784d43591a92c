//! The command line tool; everything it does is in the library's `cli`.

fn main() -> std::process::ExitCode {
    faultbook::cli::main()
}
