//! Processes of the trials: the tool and other programs, with their streams as pipes.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use libtest_mimic::Failed;

use super::cli::BINARY;

/// Starts a program with its three streams as pipes.
pub fn piped(command: &mut Command) -> Result<Child, Failed> {
    let command = command.env_remove("FAULTBOOK_RULES");
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

/// Runs a program to its end, with an input.
pub fn run(command: &mut Command, input: &[u8]) -> Result<Output, Failed> {
    let mut child = piped(command)?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let done = std::thread::scope(|scope| {
        // A program that has seen enough closes its input; what it says then is looked at, not that.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output()
    })?;
    Ok(done)
}

/// Starts the tool.
pub fn start(arguments: &[&str]) -> Result<Child, Failed> {
    piped(Command::new(BINARY).args(arguments))
}

/// Runs the tool with an input.
pub fn faultbook(arguments: &[&str], input: &[u8]) -> Result<Output, Failed> {
    run(Command::new(BINARY).args(arguments), input)
}

/// The exit code and the texts that must be in what a command says, on either stream.
pub fn expect(done: &Output, code: i32, texts: &[&str]) -> Result<(), Failed> {
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.code() != Some(code) {
        return Err(format!("exit code {:?}, expected {code}:\n{said}", done.status.code()).into());
    }
    match texts.iter().find(|text| !said.contains(**text)) {
        Some(missing) => Err(format!("`{missing}` is missing:\n{said}").into()),
        None => Ok(()),
    }
}
