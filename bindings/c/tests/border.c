/* What C programs rely on: every answer is there, whatever comes in; nothing leaks; threads do not disturb each other.
 * `border DIRECTORY`: a directory with two sets of rules, `one` and `two`, and a `broken` one, made by test.sh. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <faultbook.h>

#ifdef FAULTBOOK_TESTING
#ifdef __cplusplus
extern "C"
#endif
void faultbook_testing_fault(const faultbook_engine *engine);
#endif

static int failed = 0;

static void check_at(int line, int holds, const char *what, const char *seen)
{
    if (!holds) {
        fprintf(stderr, "border.c:%d: %s\n  in: %s\n", line, what, seen == NULL ? "(NULL)" : seen);
        failed = 1;
    }
}

/* The text holds all of it; frees the text. */
static void holds_at(int line, char *text, const char *part)
{
    check_at(line, text != NULL && strstr(text, part) != NULL, part, text);
    faultbook_string_free(text);
}

#define CHECK(holds) check_at(__LINE__, (holds), #holds, "")
#define HOLDS(text, part) holds_at(__LINE__, (text), (part))

static char *ask(const faultbook_engine *engine, const char *failure)
{
    return faultbook_classify(engine, failure, strlen(failure), NULL);
}

static faultbook_engine *open_at(int line, const char *rules, const char *options)
{
    char *error = NULL;
    faultbook_engine *engine = faultbook_open(rules, options, &error);
    check_at(line, engine != NULL && error == NULL, "opens", error);
    faultbook_string_free(error);
    if (engine == NULL)
        exit(1);
    return engine;
}
#define OPEN(rules, options) open_at(__LINE__, (rules), (options))

static void refused_at(int line, const char *rules, const char *options, const char *part)
{
    char *error = NULL;
    faultbook_engine *engine = faultbook_open(rules, options, &error);
    check_at(line, engine == NULL, "does not open", options);
    holds_at(line, error, part);
    faultbook_close(engine);
    /* Who does not ask why is not told. */
    check_at(line, faultbook_open(rules, options, NULL) == NULL, "does not open without a place for the error", options);
}
#define REFUSED(rules, options, part) refused_at(__LINE__, (rules), (options), (part))

static void path(char *out, size_t room, const char *directory, const char *name)
{
    snprintf(out, room, "%s/%s", directory, name);
}

static void answers(void)
{
    faultbook_engine *engine = OPEN(NULL, NULL);
    size_t length = 0;
    char *decision = faultbook_classify(engine, "{\"connector\":\"webhook\",\"http_status\":502}junk", 41, &length);
    CHECK(length == strlen(decision));
    CHECK(strchr(decision, '\n') == NULL);
    HOLDS(decision, "\"code\":\"DSWBHK020\"");
    HOLDS(ask(engine, "{\"http_status\":503,\"status\":1}"), "ignored 1 unknown field");
    /* What cannot be read has an answer, too. */
    HOLDS(ask(engine, ""), "\"unknown_reason\":\"unreadable\"");
    HOLDS(ask(engine, "nonsense"), "\"unknown_reason\":\"unreadable\"");
    HOLDS(ask(engine, "{}"), "\"unknown_reason\":\"empty\"");
    HOLDS(ask(engine, "{\"message\":\"\xff\"}"), "is not UTF-8");
    HOLDS(faultbook_classify(engine, "{}", 3, NULL), "\"unknown_reason\":\"unreadable\"");
    HOLDS(faultbook_classify(engine, NULL, 0, NULL), "\"unknown_reason\":\"unreadable\"");
    HOLDS(faultbook_classify(engine, NULL, 7, &length), "the failure is NULL");
    HOLDS(faultbook_classify(engine, "{}", SIZE_MAX, NULL), "more than any memory holds");
    HOLDS(faultbook_classify(engine, NULL, SIZE_MAX, NULL), "the failure is NULL");
    HOLDS(faultbook_classify(NULL, "{}", 2, &length), "the engine is NULL");
    HOLDS(faultbook_classify(NULL, NULL, 2, NULL), "the engine is NULL");
    char *deep = (char *)malloc(200001);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    HOLDS(ask(engine, deep), "\"unknown_reason\":\"unreadable\"");
    free(deep);
    /* The built-in rules never change. */
    HOLDS(faultbook_reload(engine), "\"outcome\":\"unchanged\"");
    HOLDS(faultbook_status(engine), "\"source\":\"built-in\"");
    HOLDS(faultbook_report(engine), "\"findings\":");
    faultbook_close(engine);
}

static void without_an_engine(void)
{
    CHECK(faultbook_reload(NULL) == NULL);
    CHECK(faultbook_status(NULL) == NULL);
    CHECK(faultbook_report(NULL) == NULL);
    faultbook_string_free(NULL);
    faultbook_close(NULL);
    CHECK(faultbook_abi_version() == FAULTBOOK_ABI_VERSION);
    CHECK(strlen(faultbook_version()) >= 5);
}

static void opening(const char *directory)
{
    char rules[4096], options[8192];
    REFUSED("/nowhere/at-all", NULL, "\"kind\":\"");
    REFUSED("", NULL, "\"kind\":\"");
    REFUSED("\xff\xfe", NULL, "\"kind\":\"");
    REFUSED(NULL, "{\"watch\":true}", "the built-in rules never change");
    REFUSED(NULL, "{\"wach\":true}", "unknown field `wach`");
    REFUSED(NULL, "watch", "\"kind\":\"invalid-options\"");
    REFUSED(NULL, "{\"state\":\"\xff\"}", "not UTF-8");
    path(rules, sizeof rules, directory, "broken");
    REFUSED(rules, NULL, "\"lint\":\"");
    faultbook_engine *engine = OPEN(rules, "{\"allow_fallback_only\":true}");
    HOLDS(faultbook_status(engine), "\"source\":\"fallback-only\"");
    HOLDS(faultbook_report(engine), "\"lint\":\"");
    HOLDS(faultbook_reload(engine), "\"outcome\":\"rejected\"");
    faultbook_close(engine);
    /* The state holds the last good set. */
    path(rules, sizeof rules, directory, "one");
    snprintf(options, sizeof options, "{\"state\":\"%s/state\",\"watch\":true}", directory);
    engine = OPEN(rules, options);
    char *error = NULL;
    CHECK(faultbook_open(rules, options, &error) == NULL);
    HOLDS(error, "\"error\":");
    faultbook_close(engine);
}

#ifdef FAULTBOOK_TESTING
/* A fault inside of the library is an answer, and the engine goes on. */
static void faults(void)
{
    faultbook_engine *engine = OPEN(NULL, NULL);
    size_t length = 0;
    faultbook_testing_fault(engine);
    char *decision = faultbook_classify(engine, "{}", 2, &length);
    CHECK(length == strlen(decision));
    HOLDS(decision, "internal error; please report the record");
    HOLDS(ask(engine, "{}"), "\"unknown_reason\":\"empty\"");
    faultbook_testing_fault(engine);
    CHECK(faultbook_reload(engine) == NULL);
    faultbook_testing_fault(engine);
    CHECK(faultbook_status(engine) == NULL);
    faultbook_testing_fault(engine);
    CHECK(faultbook_report(engine) == NULL);
    HOLDS(faultbook_status(engine), "\"source\":\"built-in\"");
    faultbook_close(engine);
}
#endif

/* A thread of somebody else may have little stack. */
static void *on_a_small_stack(void *rules)
{
    faultbook_engine *engine = OPEN((const char *)rules, NULL);
    HOLDS(ask(engine, "{\"message\":\"lost link 7\"}"), "\"code\":\"DSNEW001\"");
    HOLDS(faultbook_reload(engine), "\"outcome\":\"unchanged\"");
    faultbook_close(engine);
    engine = OPEN(NULL, NULL);
    HOLDS(ask(engine, "{\"text\":\"System.Net.WebException: The remote server returned an error: (502) Bad Gateway.\"}"),
          "\"code\":\"DSHTTP001\"");
    faultbook_close(engine);
    return NULL;
}

static void small_stack(const char *directory)
{
    char rules[4096];
    path(rules, sizeof rules, directory, "one");
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 192 * 1024);
    CHECK(pthread_create(&thread, &attributes, on_a_small_stack, rules) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

struct work {
    const faultbook_engine *engine;
    int rounds;
    int wrong;
};

/* Both sets know the failure; each says its own message with its own digest. */
static void *classify(void *argument)
{
    struct work *work = (struct work *)argument;
    for (int round = 0; round < work->rounds; round++) {
        char *decision = ask(work->engine, "{\"message\":\"lost link 7\"}");
        int is_one = strstr(decision, "set one saw 7") != NULL;
        int is_two = strstr(decision, "set two saw 7") != NULL;
        work->wrong += strstr(decision, "\"code\":\"DSNEW001\"") == NULL || is_one == is_two;
        faultbook_string_free(decision);
        faultbook_string_free(faultbook_status(work->engine));
    }
    return NULL;
}

static void threads(const char *directory, int rounds, int reloads)
{
    char live[4096], one[4096], two[4096], next[4096];
    path(live, sizeof live, directory, "live");
    path(one, sizeof one, directory, "one");
    path(two, sizeof two, directory, "two");
    path(next, sizeof next, directory, "next");
    unlink(live);
    CHECK(symlink(one, live) == 0);
    faultbook_engine *engine = OPEN(live, NULL);
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    struct work work[THREADS];
    for (int i = 0; i < THREADS; i++) {
        work[i].engine = engine;
        work[i].rounds = rounds;
        work[i].wrong = 0;
        CHECK(pthread_create(&thread[i], NULL, classify, &work[i]) == 0);
    }
    for (int i = 0; i < reloads; i++) {
        unlink(next);
        CHECK(symlink(i % 2 == 0 ? two : one, next) == 0 && rename(next, live) == 0);
        HOLDS(faultbook_reload(engine), "\"outcome\":\"swapped\"");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        CHECK(work[i].wrong == 0);
    }
    printf("%d answers by %d threads during %d reloads, all of one set\n", THREADS * rounds, THREADS, reloads);
    faultbook_close(engine);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: border DIRECTORY [ROUNDS [RELOADS]]\n");
        return 2;
    }
    answers();
    without_an_engine();
    opening(argv[1]);
#ifdef FAULTBOOK_TESTING
    faults();
#endif
    small_stack(argv[1]);
    threads(argv[1], argc > 2 ? atoi(argv[2]) : 2000, argc > 3 ? atoi(argv[3]) : 6);
    /* A watch that was told to end may still be reading files. */
    sleep(1);
    if (!failed)
        puts("border: ok");
    return failed;
}
