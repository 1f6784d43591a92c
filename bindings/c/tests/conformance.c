/* Failures in, line by line from standard input; one decision line out for each. `conformance [RULES]`. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <faultbook.h>

int main(int argc, char **argv)
{
    char *error = NULL;
    faultbook_engine *engine = faultbook_open(argc > 1 ? argv[1] : NULL, NULL, &error);
    if (engine == NULL) {
        fprintf(stderr, "%s\n", error);
        faultbook_string_free(error);
        return 2;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t read;
    int is_first = 1;
    while ((read = getline(&line, &room, stdin)) != -1) {
        const char *failure = line;
        size_t length = (size_t)read, written;
        if (is_first && length >= 3 && memcmp(failure, "\xef\xbb\xbf", 3) == 0) {
            failure += 3;
            length -= 3;
        }
        is_first = 0;
        if (length > 0 && failure[length - 1] == '\n')
            length--;
        if (length > 0 && failure[length - 1] == '\r')
            length--;
        char *decision = faultbook_classify(engine, failure, length, &written);
        if (fwrite(decision, 1, written, stdout) != written || putchar('\n') == EOF) {
            perror("standard output");
            return 2;
        }
        faultbook_string_free(decision);
    }
    free(line);
    faultbook_close(engine);
    return fflush(stdout) == 0 ? 0 : 2;
}
