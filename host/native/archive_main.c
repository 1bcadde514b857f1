/* davit-archive TYPE: the tar, tar.gz or zip on stdin as one plain gnutar on stdout, for
 * host/git/archive_import.cpp, which judges it. It unpacks nothing.
 *
 * It knows these three forms and no other, for libarchive has one (mtree) that opens files by names in the
 * archive. Before it reads the first byte it is nobody where it was root, and can open no file any more.
 * Exits with 2 if the content is not of the form that was said, with 1 and a line on stderr if it cannot be
 * read. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "native/drop.h"

enum { kNobody = 65534, kOtherForm = 2, kBufferBytes = 64 * 1024 };

static int die(const char* why) {
  fprintf(stderr, "%s\n", why != NULL ? why : "it is damaged");
  return 1;
}

static int give_up_rights(void) {
  const int is_root = geteuid() == 0;
  const int failed = davit_drop(is_root ? kNobody : getuid(), is_root ? kNobody : getgid(), NULL, 0);
  if (failed != 0) return failed;
  const struct rlimit none = {0, 0};
  return setrlimit(RLIMIT_NOFILE, &none) == 0 ? 0 : errno;
}

/* This form alone: what is inside of a gzip is not looked at for another filter. Raw is what is no tar, so
 * that it can be told from a gzip that is cut short. */
static int accept_form(struct archive* in, const char* type) {
  if (strcmp(type, "zip") == 0) return archive_read_support_format_zip_seekable(in);
  if (strcmp(type, "tar.gz") == 0 && archive_read_append_filter(in, ARCHIVE_FILTER_GZIP) != ARCHIVE_OK)
    return ARCHIVE_FATAL;
  return archive_read_support_format_tar(in) == ARCHIVE_OK ? archive_read_support_format_raw(in)
                                                           : ARCHIVE_FATAL;
}

static int copy_content(struct archive* in, struct archive* out) {
  static char buffer[kBufferBytes];
  la_ssize_t got = 0;
  while ((got = archive_read_data(in, buffer, sizeof buffer)) > 0) {
    const la_ssize_t put = archive_write_data(out, buffer, (size_t)got);
    if (put < 0) return die(archive_error_string(out));
    if (put < got) return die("an entry has more content than it says");
  }
  return got == 0 ? 0 : die(archive_error_string(in));
}

static int copy_entries(struct archive* in, struct archive* out) {
  struct archive_entry* entry = NULL;
  int got = ARCHIVE_OK;
  while ((got = archive_read_next_header(in, &entry)) == ARCHIVE_OK) {
    if (archive_format(in) == ARCHIVE_FORMAT_RAW) return kOtherForm;
    if (archive_write_header(out, entry) < ARCHIVE_WARN) return die(archive_error_string(out));
    /* The header that was written knows who has content: a hard link has none. */
    if (archive_entry_size(entry) > 0 && copy_content(in, out) != 0) return 1;
  }
  if (got != ARCHIVE_EOF) return die(archive_error_string(in));
  return archive_write_close(out) == ARCHIVE_OK ? 0 : die(archive_error_string(out));
}

int main(int argc, char** argv) {
  if (argc != 2) return die("davit-archive is started by davit; see `davit help`");
  setlocale(LC_CTYPE, "C.UTF-8"); /* of names; it is read from a file */
  const int failed = give_up_rights();
  if (failed != 0) return die(strerror(failed));
  struct archive* in = archive_read_new();
  struct archive* out = archive_write_new();
  if (in == NULL || out == NULL) return die(strerror(ENOMEM));
  if (accept_form(in, argv[1]) != ARCHIVE_OK) return die(archive_error_string(in));
  if (archive_write_set_format_gnutar(out) != ARCHIVE_OK ||
      archive_write_open_fd(out, STDOUT_FILENO) != ARCHIVE_OK)
    return die(archive_error_string(out));
  if (archive_read_open_fd(in, STDIN_FILENO, kBufferBytes) != ARCHIVE_OK)
    return die("it is damaged, or cut short");
  return copy_entries(in, out);
}
