//! What must hold for every failure, whatever it says.

use std::borrow::Cow;

use faultbook::{Exception, Failure, read_record};
use libtest_mimic::{Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::codes::rules;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("properties/every_failure_has_one_answer", || check(&failures(), |failure| answer(&failure))),
        Trial::test("properties/every_text_has_one_answer", || {
            check(&texts(), |text| answer(&Failure { text: Some(text.into()), ..Failure::default() }))
        }),
        Trial::test("properties/a_failure_survives_json", || check(&failures(), survives_json)),
        Trial::test("properties/whatever_bytes_a_record_has", || {
            check(&proptest::collection::vec(any::<u8>(), 0..200), |bytes| {
                // Either a failure or a reason; never a panic.
                let read = read_record(&bytes);
                prop_assert!(read.is_ok() || read.is_err_and(|reason| !reason.is_empty()));
                Ok(())
            })
        }),
    ]
}

/// Cases of one run; a longer one sets `PROPTEST_CASES`.
pub fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) -> Result<(), Failed> {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        // The same cases on every machine; a finding goes into the data of the other tests.
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    runner.run(strategy, test).map_err(|error| error.to_string().into())
}

fn answer(failure: &Failure<'_>) -> Result<(), TestCaseError> {
    let decision = rules().classify(failure);
    let prefix = format!("[{}] ", decision.code);
    prop_assert!(decision.message.starts_with(&prefix), "not prefixed: {}", decision.message);
    prop_assert_eq!(decision.unknown_reason.is_some(), decision.rule == "fallback");
    prop_assert_eq!(&rules().classify(failure), &decision);
    Ok(())
}

fn survives_json(failure: Failure<'static>) -> Result<(), TestCaseError> {
    let json = serde_json::to_vec(&failure).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let record = read_record(&json).map_err(TestCaseError::fail)?;
    prop_assert!(record.notes.is_empty(), "{:?}", record.notes);
    prop_assert_eq!(record.failure, failure);
    Ok(())
}

/// Pieces that real failures are made of, so that random texts come near to them.
const PIECES: &[&str] = &[
    "System.TimeoutException",
    "Microsoft.Data.SqlClient.SqlException (0x80131904)",
    ": ",
    "\n ---> ",
    "\n   at A.B.C(D d) in C:\\x.cs:line 503",
    "--- End of inner exception stack trace ---",
    "AADSTS7000222",
    "AADSTS90002",
    "3",
    " ",
    "\r\n",
    "{\"error\":{\"code\":\"",
    "ErrorItemNotFound",
    "\",\"message\":\"",
    "\"}}",
    "<s:Fault><faultstring>",
    "</faultstring></s:Fault>",
    "HTTP/1.1 404 Not Found\n",
    "Status Code: 429\n",
    "(502) Bad Gateway",
    "`1[[",
    "]]",
    "+",
    "---> (Inner Exception #0) ",
    "<---",
    "ü",
    "\u{202e}",
    "\u{0}",
    "\u{1f600}",
    "client_secret=abc",
    "'",
    "\"",
    "\\",
];

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,12}"];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn failures() -> impl Strategy<Value = Failure<'static>> {
    let word =
        |words: &'static [&'static str]| proptest::option::of(proptest::sample::select(words).prop_map(Cow::Borrowed));
    let message = || proptest::option::of(texts().prop_filter("said", |text| !text.is_empty()).prop_map(Cow::Owned));
    let exception = (
        word(&["System.TimeoutException", "MsalServiceException", "A.B+C", "X`1[[Y]]"]),
        message(),
        proptest::collection::vec(-2_i64..70_000, 0..3),
    )
        .prop_map(|(type_name, message, error_numbers)| Exception {
            type_name,
            message,
            error_numbers,
            ..Exception::default()
        });
    let status = proptest::option::of(100_u16..600);
    let codes = proptest::collection::vec(
        proptest::sample::select(&["AADSTS90033", "ErrorAccessDenied", "invalid_client", "Authentication_X"][..])
            .prop_map(Cow::Borrowed),
        0..3,
    );
    (
        word(&["exchange", "webhook", "bc", "other"]),
        word(&["create", "delete", "token"]),
        proptest::collection::vec(exception, 0..5),
        message(),
        status,
        codes,
    )
        .prop_map(|(connector, operation, exceptions, message, http_status, provider_codes)| Failure {
            connector,
            operation,
            exceptions,
            message,
            http_status,
            provider_codes,
            ..Failure::default()
        })
}
