/* faultbook: a stable code for every failure.
 *
 * Generated from bindings/c/src/lib.rs; `INSTA_UPDATE=always cargo test -p faultbook-c` writes it anew.
 *
 * Texts are UTF-8. What a function takes stays the caller's; what it gives is freed with the function that its comment
 * names. Every function may be called from any thread at any time, but faultbook_close, which comes last. The library
 * installs no signal handler and no panic hook, and never unwinds into its caller: a fault of its own is an answer, and is
 * told on standard error. It must stay loaded until the process ends, and an engine that was opened before
 * a fork() does not watch its rules in the child. */

#ifndef FAULTBOOK_H
#define FAULTBOOK_H

#include <stddef.h>
#include <stdint.h>

// Number of the interface that `faultbook_abi_version` answers with, as long as nothing that a compiled caller relies
// on has changed.
#define FAULTBOOK_ABI_VERSION 1

// An engine with its rules. Made by `faultbook_open`, freed by `faultbook_close`. Any number of threads may use one
// engine at the same time.
typedef struct faultbook_engine faultbook_engine;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of this binary interface. A caller that was compiled against another `FAULTBOOK_ABI_VERSION` must not
// call anything else. Functions may be added without a new number.
uint32_t faultbook_abi_version(void);

// The version of the library, for example `0.1.0`. Static: never freed.
const char *faultbook_version(void);

// Opens an engine.
//
// `rules` is the path of a rules directory, ended by NUL; NULL for the rules that are built in.
// `options` is a JSON object, ended by NUL, or NULL for none of them:
//
// - `"state": "DIR"`: keeps every set that was taken into use there, and starts with the last one when the rules do
//   not load; one engine at a time uses a directory
// - `"watch": true`: takes changed rules into use as soon as they are proven
// - `"allow_fallback_only": true`: starts with nothing but DSUNK001 when there are no rules that load
//
// Returns NULL when nothing can be served. `error`, where it is not NULL, is then set to a JSON object
// `{"kind": "io" | "rejected" | "invalid-options" | "internal", "error": "...", "report": {...} | null}`, which the
// caller frees with `faultbook_string_free`; `report` says what is wrong with the rules. Otherwise it is set to NULL.
// The caller frees the engine with `faultbook_close`.
//
// Loading takes some 250 ms for files without a lock: they are read until nobody is in the middle of writing them.
//
// # Safety
// `rules` and `options` are NULL or end with NUL; `error` is NULL or may be written to.
struct faultbook_engine *faultbook_open(const char *rules,
                                        const char *options,
                                        char **error);

// Says what a failure is.
//
// `failure` is one JSON object (docs/input.md) of `length` bytes of UTF-8; it need not end with NUL. The answer is one
// line of JSON without a line end (docs/decisions.md), the same bytes that `faultbook classify --format json` writes.
// It ends with NUL, and `decision_length`, where it is not NULL, is set to its bytes before that.
//
// Never fails, and never waits for a load: what no rule knows is DSUNK001 with `unknown_reason`; what cannot be read,
// NULL as engine and a fault of the library are DSUNK001 with `unknown_reason` `unreadable` and `error`. Never NULL.
// The caller frees the answer with `faultbook_string_free`.
//
// # Safety
// `engine` is NULL or one that is open; `failure` is NULL or `length` bytes that may be read; `decision_length` is NULL
// or may be written to.
char *faultbook_classify(const struct faultbook_engine *engine,
                         const char *failure,
                         size_t length,
                         size_t *decision_length);

// Loads the rules again and says truthfully what came of it: `{"outcome": "swapped" | "unchanged" | "rejected",
// "generation": 2, "ruleset": "sha256:...", "changes": {...} | null, "error": "..." | null, "report": {...} | null}`.
// Generation and digest are those of the set in force; when the rules were rejected, that is the one from before, and
// `report` says why. Other threads go on classifying meanwhile.
//
// NULL when `engine` is NULL, or after a fault of the library. The caller frees the answer with
// `faultbook_string_free`.
//
// # Safety
// `engine` is NULL or one that is open.
char *faultbook_reload(const struct faultbook_engine *engine);

// How the engine stands, as a JSON object: `generation`, `ruleset`, `since`, `source`, `watch`, `last_reload`, counts
// and so on (docs/engine.md). Never waits for a load.
//
// NULL when `engine` is NULL, or after a fault of the library. The caller frees the answer with
// `faultbook_string_free`.
//
// # Safety
// `engine` is NULL or one that is open.
char *faultbook_status(const struct faultbook_engine *engine);

// The report of the last load as a JSON object, as `faultbook check --format json` writes it: why the rules were
// rejected, or the warnings and notes of those in force.
//
// NULL when `engine` is NULL, or after a fault of the library. The caller frees the answer with
// `faultbook_string_free`.
//
// # Safety
// `engine` is NULL or one that is open.
char *faultbook_report(const struct faultbook_engine *engine);

// Frees a text that a function of this library has given. NULL is nothing to free. The text must be as it was given,
// and is freed once, here and by nothing else: `free` of the C library does not know it.
//
// # Safety
// `text` is NULL, or was given by this library and not freed yet.
void faultbook_string_free(char *text);

// Closes an engine and frees it. NULL is nothing to close. No thread may be using the engine, and none may use it
// afterwards; texts that it has given stay.
//
// # Safety
// `engine` is NULL, or open and used by nobody.
void faultbook_close(struct faultbook_engine *engine);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FAULTBOOK_H */
