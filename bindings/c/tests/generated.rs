//! What is generated from the functions is fresh: the C header, and the externs of the .NET package.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Done = Result<(), Box<dyn Error>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a committed file with what is generated now; writes it where that is asked for.
fn fresh(committed: &Path, now: &str) -> Done {
    if std::env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always") {
        fs::write(committed, now)?;
    }
    let stands = fs::read_to_string(committed).map_err(|error| format!("{}: {error}", committed.display()))?;
    let differs = stands.lines().zip(now.lines()).position(|(stands, now)| stands != now);
    if stands == now {
        return Ok(());
    }
    let line = differs.unwrap_or(stands.lines().count().min(now.lines().count())) + 1;
    Err(format!(
        "{}:{line} is stale; write it with `INSTA_UPDATE=always cargo test -p faultbook-c`",
        committed.display()
    )
    .into())
}

#[test]
fn header() -> Done {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml"))?;
    let bindings = cbindgen::Builder::new().with_config(config).with_src(root().join("src/lib.rs")).generate()?;
    let mut now = Vec::new();
    bindings.write(&mut now);
    fresh(&root().join("include/faultbook.h"), &String::from_utf8(now)?)
}

#[test]
fn externs() -> Done {
    let now = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("NativeMethods.g.cs");
    csbindgen::Builder::default()
        .input_extern_file(root().join("src/lib.rs"))
        .csharp_dll_name("faultbook")
        .csharp_namespace("Faultbook")
        .csharp_class_name("NativeMethods")
        .csharp_generate_const_filter(|name| name == "FAULTBOOK_ABI_VERSION")
        .csharp_type_rename(|name| match name.as_str() {
            "FaultbookEngine" => "NativeEngine".to_owned(),
            _ => name,
        })
        // C# 7 and netstandard2.0 have neither of both.
        .csharp_use_function_pointer(false)
        .csharp_use_nint_types(false)
        .generate_csharp_file(&now)?;
    fresh(&root().join("../dotnet/src/NativeMethods.g.cs"), &fs::read_to_string(now)?)
}

/// Comments and examples promise that nothing but these is exported; `test.sh` looks into the library itself.
#[test]
fn names() -> Done {
    let header = fs::read_to_string(root().join("include/faultbook.h"))?;
    let mut declared: Vec<&str> = header
        .lines()
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("faultbook_"))
        .collect();
    declared.sort_unstable();
    let listed = fs::read_to_string(root().join("tests/symbols.txt"))?;
    assert_eq!(declared, listed.lines().collect::<Vec<_>>(), "tests/symbols.txt lists the functions of the header");
    Ok(())
}
