/*
 * options.c
 *		Reads the command line.
 */
#include "recover/options.h"

#include "recover/json.h"
#include "recover/report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage_text[] =
"bk_recover reads backups of backup_service from archives, without a server.\n"
"\n"
"Usage:\n"
"  bk_recover list    [OPTION]... ARCHIVE-OR-DIRECTORY...\n"
"  bk_recover verify  [OPTION]... ARCHIVE-OR-DIRECTORY...\n"
"  bk_recover restore [OPTION]... ARCHIVE-OR-DIRECTORY...\n"
"\n"
"Archives are what bk_archive() gives and what backup_service.archive_command\n"
"ships; of a directory, all files whose names end with .bka are read.\n"
"\n"
"Options for the master keys (verify and restore need one of them):\n"
"  -k, --key-file=FILE        the key file of the server, or a copy of it\n"
"      --key-command=COMMAND  a command that prints a key; %v is its version\n"
"\n"
"Options for what is listed, verified or restored:\n"
"  -r, --resource=NAME        backups of this resource alone\n"
"  -b, --backup-id=ID         the backup with this id\n"
"  -t, --at=TIME              restore the state of this time (ISO 8601; UTC where\n"
"                             it names no zone); without -b and -t, the newest\n"
"      --nearest              where that state is deleted or missing, the nearest\n"
"                             one before it\n"
"\n"
"Options for the output:\n"
"  -j, --json                 list as a JSON array\n"
"  -o, --output=FILE          restore into a new file, not to standard output\n"
"\n"
"  -V, --version              show the version, then exit\n"
"  -?, --help                 show this help, then exit\n"
"\n"
"Exit status: 0 all is well; 1 damage was found, or what was asked for is not\n"
"there for certain; 2 wrong usage; 3 a master key is missing or wrong; 4 a file\n"
"could not be read or written.\n";

enum
{
	OPTION_KEY_COMMAND = 256,
	OPTION_NEAREST
};

static const struct option long_options[] = {
	{"at", required_argument, NULL, 't'},
	{"backup-id", required_argument, NULL, 'b'},
	{"help", no_argument, NULL, '?'},
	{"json", no_argument, NULL, 'j'},
	{"key-command", required_argument, NULL, OPTION_KEY_COMMAND},
	{"key-file", required_argument, NULL, 'k'},
	{"nearest", no_argument, NULL, OPTION_NEAREST},
	{"output", required_argument, NULL, 'o'},
	{"resource", required_argument, NULL, 'r'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0}
};

BK_NORETURN static void
try_help(void)
{
	bk_report_hint("Try \"bk_recover --help\" for more information.");
	exit(BK_EXIT_USAGE);
}

BK_NORETURN static void
misused(const char *message)
{
	bk_report_error("%s", message);
	try_help();
}

static int64
parse_id(const char *text)
{
	char	   *end;
	long long	id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || id < 1)
		misused("a backup id is a whole number from 1 up");
	return id;
}

/* --help and --version as PostgreSQL's programs take them: first, and whatever follows. */
static void
answer_first(int argc, char **argv)
{
	if (argc < 2)
		return;
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0)
	{
		fputs(usage_text, stdout);
		exit(BK_EXIT_OK);
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
	{
		puts("bk_recover (backup_service) " BK_VERSION);
		exit(BK_EXIT_OK);
	}
}

static void
read_option(int option, char **argv, BkRecoverOptions *options)
{
	switch (option)
	{
		case 'b':
			options->backup_id = parse_id(optarg);
			return;
		case 'j':
			options->json = true;
			return;
		case 'k':
			options->key_file = optarg;
			return;
		case 'o':
			options->output = optarg;
			return;
		case 'r':
			options->resource = optarg;
			return;
		case 't':
			options->has_time = true;
			if (!bk_time_parse(optarg, &options->at))
				misused("a time is written as 2026-01-31T12:34:56.789Z, and may leave out the end");
			return;
		case 'V':
			puts("bk_recover (backup_service) " BK_VERSION);
			exit(BK_EXIT_OK);
		case OPTION_KEY_COMMAND:
			options->key_command = optarg;
			return;
		case OPTION_NEAREST:
			options->nearest = true;
			return;
		case '?':
			if (strcmp(argv[optind - 1], "-?") == 0 || strcmp(argv[optind - 1], "--help") == 0)
			{
				fputs(usage_text, stdout);
				exit(BK_EXIT_OK);
			}
			/* getopt_long() has said what is wrong */
			try_help();
		default:
			try_help();
	}
}

static BkRecoverCommand
read_command(const char *name)
{
	static const char *const names[] = {
		[BK_RECOVER_LIST] = "list",
		[BK_RECOVER_VERIFY] = "verify",
		[BK_RECOVER_RESTORE] = "restore",
	};

	for (int i = 0; i < (int) lengthof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (BkRecoverCommand) i;
	bk_report_error("unknown command %s: use list, verify or restore", bk_shown((BkText) {name, strlen(name)}));
	try_help();
}

static void
check_options(const BkRecoverOptions *options)
{
	bool		restores = options->command == BK_RECOVER_RESTORE;

	if (options->path_count == 0)
		misused("no archive or directory was named");
	if (options->key_file && options->key_command)
		misused("--key-file and --key-command cannot be used together");
	if (options->command != BK_RECOVER_LIST && !options->key_file && !options->key_command)
		misused("verify and restore need --key-file or --key-command");
	if (options->backup_id && options->has_time)
		misused("--backup-id and --at cannot be used together");
	if (!restores && (options->has_time || options->nearest || options->output))
		misused("--at, --nearest and --output are for restore");
	if (options->nearest && !options->has_time)
		misused("--nearest goes with --at");
	if (options->json && options->command != BK_RECOVER_LIST)
		misused("--json is for list: what is restored is JSON anyway");
}

void
bk_recover_read_options(int argc, char **argv, BkRecoverOptions *options)
{
	int			option;

	memset(options, 0, sizeof(*options));
	answer_first(argc, argv);
	while ((option = getopt_long(argc, argv, "b:jk:o:r:t:V?", long_options, NULL)) != -1)
		read_option(option, argv, options);
	if (optind == argc)
		misused("no command was given: use list, verify or restore");
	options->command = read_command(argv[optind]);
	options->paths = argv + optind + 1;
	options->path_count = argc - optind - 1;
	check_options(options);
}
