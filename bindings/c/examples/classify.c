/* Reads failures, one JSON object on each line, and says what each of them is.
 *
 *   ./classify [RULES] < failures.ndjson
 */
#include <stdio.h>
#include <string.h>

#include <faultbook.h>

int main(int argc, char **argv)
{
    if (faultbook_abi_version() != FAULTBOOK_ABI_VERSION) {
        fprintf(stderr, "libfaultbook %s has another interface\n", faultbook_version());
        return 2;
    }
    char *error = NULL;
    faultbook_engine *engine = faultbook_open(argc > 1 ? argv[1] : NULL, NULL, &error);
    if (engine == NULL) {
        fprintf(stderr, "%s\n", error);
        faultbook_string_free(error);
        return 2;
    }
    char failure[64 * 1024];
    while (fgets(failure, sizeof failure, stdin) != NULL) {
        char *decision = faultbook_classify(engine, failure, strcspn(failure, "\n"), NULL);
        puts(decision);
        faultbook_string_free(decision);
    }
    faultbook_close(engine);
    return 0;
}
