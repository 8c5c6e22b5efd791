# backup_service: a backup catalog inside PostgreSQL.
#
#   make demo       installs what is missing, builds, and shows the main job on real data
#   make serve      runs the API over HTTP on the loopback address: PostgreSQL, PostgREST and nginx (docs/http.md)
#   make test       installs what the tests need, builds, runs every test
#   make test-long  the same with the long sweeps in full
#   make test-versions  the tests on PostgreSQL 15 to 18, gcc and clang, in chroots (as root)
#   make coverage   the part of the lines that the tests run
#   make lint       clang-tidy and cppcheck
#   make test-sanitize, make test-valgrind  the tests in a server that looks for undefined behaviour, or runs under valgrind
#   make deb        a Debian package, in tmp/deb; make test-deb installs it in a clean chroot (as root)
#   make bench      measures against peers; BENCH_QUICK=1 does in two minutes
#   make rights     prints who gets what of each function and view, as seen in real calls
#   make, make install, make installcheck: PGXS, as in every extension

EXTENSION = backup_service
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" backup_service.control)
MODULE_big = backup_service
DATA = $(wildcard sql/backup_service--*--*.sql)
DATA_built = sql/backup_service--$(EXTVERSION).sql
SQL_FRAGMENTS = $(sort $(wildcard sql/[0-9][0-9]_*.sql))
SOURCES = $(sort $(filter-out src/recover/%, $(wildcard src/*.c src/*/*.c)))
OBJS = $(SOURCES:.c=.o)
# bk_recover is built of the layers that need no server, with the program's own.
RECOVER_SOURCES = $(sort $(filter-out src/document/jsonb_%.c, $(wildcard src/common/*.c src/document/*.c src/delta/*.c \
	src/payload/*.c src/archive/*.c src/recover/*.c)) src/keyring/wrap.c src/keyring/key_text.c)
RECOVER_OBJS = $(patsubst src/%.c, build/recover/%.o, $(RECOVER_SOURCES))
# libdeflate writes gzip faster than zlib, which reads it; make LIBDEFLATE=no does without, as where its header is missing.
LIBDEFLATE ?= $(shell $(CC) -include libdeflate.h -E -x c /dev/null >/dev/null 2>&1 && echo yes || echo no)
PG_CPPFLAGS = -I$(CURDIR)/src -DBK_VERSION='"$(EXTVERSION)"' $(if $(filter yes,$(LIBDEFLATE)),-DBK_LIBDEFLATE)
# PostgreSQL hands on the flags of the compiler that it was built with; clang does not know all of gcc's.
CLANG_CFLAGS = $(if $(findstring clang,$(shell $(CC) --version)),-Wno-unknown-warning-option \
	-Wno-ignored-optimization-argument -Wno-ignored-attributes)
# COVERAGE=yes counts the lines that run (make coverage); SANITIZE=yes stops where behaviour is undefined, and in bk_recover, which
# is a program of ours, where memory is touched that is not its own (make test-sanitize).
comma = ,
CHECKED = $(if $(filter yes,$(COVERAGE)),--coverage -Og) $(if $(filter yes,$(SANITIZE)),-fsanitize=undefined -fno-sanitize-recover)
RECOVER_CHECKED = $(if $(filter yes,$(SANITIZE)),-fsanitize=address)
PG_CFLAGS = -std=gnu11 -Wno-declaration-after-statement $(CLANG_CFLAGS) $(WERROR) $(CHECKED)
SHLIB_LINK = $(CHECKED) $(if $(filter yes,$(COVERAGE)),-Wl$(comma)--exclude-libs$(comma)libgcov.a) -lcrypto -lz -lzstd $(if $(filter yes,$(LIBDEFLATE)),-ldeflate)
EXTRA_CLEAN = build bk_recover

# make installcheck runs these against a running server.
REGRESS ?= $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=backup_service
# Those of the queue need a test module, which make test builds.
ISOLATION = $(filter-out queue_%,$(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test --load-extension=backup_service

PG_CONFIG ?= pg_config
# PGXS names the compiler that PostgreSQL was built with; one that the environment names goes before it, also in what make test runs.
ifeq ($(origin CC),environment)
override CC := $(CC)
endif
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

.DEFAULT_GOAL := all
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
$(OBJS): $(wildcard src/*.h src/*/*.h) backup_service.control
else
all install installcheck clean:
	@echo "PostgreSQL's server headers are not installed; make demo and make test install them" >&2; exit 1
endif

bk_recover: $(RECOVER_OBJS)
	$(CC) $(CFLAGS) $(RECOVER_CHECKED) $(LDFLAGS) -o $@ $^ -lcrypto -lz -lzstd $(if $(filter yes,$(LIBDEFLATE)),-ldeflate)
build/recover/%.o: src/%.c $(wildcard src/*.h src/*/*.h) backup_service.control
	@mkdir -p $(@D)
	$(CC) -DFRONTEND $(PG_CPPFLAGS) $(CFLAGS) $(RECOVER_CHECKED) -c -o $@ $<
all: bk_recover
install: install-recover
install-recover: bk_recover
	$(MKDIR_P) '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1'
	$(INSTALL_PROGRAM) bk_recover '$(DESTDIR)$(bindir)/bk_recover'
	$(INSTALL_DATA) docs/bk_recover.1 '$(DESTDIR)$(mandir)/man1/bk_recover.1'
uninstall: uninstall-recover
uninstall-recover:
	rm -f '$(DESTDIR)$(bindir)/bk_recover' '$(DESTDIR)$(mandir)/man1/bk_recover.1'

sql/backup_service--$(EXTVERSION).sql: $(SQL_FRAGMENTS)
	printf '%s\n' '\echo Use "CREATE EXTENSION backup_service" to load this file. \quit' | cat - $^ > $@

.PHONY: install-recover uninstall-recover demo demo-stop serve test test-long test-versions test-sanitize test-valgrind coverage lint deb test-deb bench rights
demo:
	@demo/run
demo-stop:
	@demo/stop
serve:
	@http/serve
test:
	@test/tools/test
test-long:
	@LONG=1 test/tools/test
test-versions:
	@test/tools/versions
coverage:
	@test/tools/coverage
lint:
	@test/tools/lint
test-sanitize:
	@test/tools/sanitize
test-valgrind:
	@test/tools/valgrind
deb:
	@packaging/deb
test-deb:
	@test/tools/deb
bench:
	@bench/run
rights:
	@test/tools/rights
