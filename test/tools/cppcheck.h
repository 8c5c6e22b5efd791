/*
 * cppcheck.h
 *		What cppcheck has to know of PostgreSQL's macros: ereport(ERROR) does not return.
 */
#define LOG 15
#define DEBUG1 14
#define NOTICE 18
#define WARNING 19
#define ERROR 21
#define FATAL 22
#define ereport(elevel, rest) do { if ((elevel) >= ERROR) abort(); } while (0)
#define elog(elevel, ...) do { if ((elevel) >= ERROR) abort(); } while (0)
#define pg_attribute_printf(format, arguments)
#define BK_NORETURN
#define PG_VERSION_NUM 150000
