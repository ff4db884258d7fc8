/* Runs a fuzz target on the files of folders, thoroughly: tests earlier findings without a fuzzer.
 * If the target aborts, the culprit is the file named last. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int fuzz_thorough = 1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int try(const char *path)
{
  struct stat s;
  FILE *from = fopen(path, "rb");
  if (from == NULL || fstat(fileno(from), &s) < 0) {
    perror(path);
    return -1;
  }
  uint8_t *data = malloc((size_t)s.st_size); /* of exact size, for the sanitizer */
  size_t size = fread(data, 1, (size_t)s.st_size, from);
  fclose(from);
  fprintf(stderr, "%s\n", path);
  int result = LLVMFuzzerTestOneInput(data, size);
  free(data);
  printf("ok - %s\n", path);
  return result;
}

static int try_all(const char *folder)
{
  struct dirent **entries;
  int failed = 0, count = scandir(folder, &entries, NULL, alphasort);
  if (count < 0) return try(folder);
  for (int i = 0; i < count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.') failed |= try(path);
    free(entries[i]);
  }
  free(entries);
  return failed;
}

int main(int count, char **arguments)
{
  int failed = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < count; i++) failed |= try_all(arguments[i]);
  return failed != 0;
}
