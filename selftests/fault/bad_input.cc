// SPDX-License-Identifier: GPL-2.0
// Is what the files in /sys/kernel/debug/rundown_stress do not understand refused, with the right
// errno and without effect?  And do several who use them at once not upset each other?
#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <vector>

#include "ksft.hh"

using namespace ksft;
using std::string;
using std::string_literals::operator""s;

namespace
{

struct Bad {
	const char *name;
	string file;
	string text;
	int error = EINVAL;
};

const string run = "run", manual = "manual";

Bad start(const char *name, const string &rest, int error = EINVAL)
{
	return {name, run, "start " + rest, error};
}

const std::vector<Bad> cases = {
	{"nothing", run, ""},
	{"an empty line", run, "\n"},
	{"a blank", run, " "},
	{"blanks and tabs", run, " \t \t\n"},
	{"an unknown command", run, "begin"},
	{"a command in capitals", run, "START"},
	{"a command cut off", run, "star"},
	{"a command with a tail", run, "startle"},
	{"a command twice", run, "start start"},
	{"settings without a command", run, "variant=basic"},
	{"stop with a word behind", run, "stop now"},
	{"stop with settings", run, "stop threads=4"},
	{"two commands on a line", run, "stop start"},
	{"two lines", run, "start\nstart\n"},
	{"two newlines", run, "start\n\n"},
	{"a carriage return", run, "start\r\n"},
	{"a vertical tab", run, "start\vthreads=4"},
	{"a control character in a word", run,
	 "start thr\x01"
	 "eads=4"},
	{"a NUL at the end", run, "start\0"s},
	{"a NUL in front", run, "\0start"s},
	{"a NUL in the middle", run, "start threads=4\0 refs=4"s},
	{"only NULs", run, string(64, '\0')},
	{"bytes that are no ASCII", run, "start \xff\xfe\x80"},
	{"a key with an umlaut", run,
	 "start thr\xc3\xa4"
	 "ds=4"},
	{"a machine's instructions", run,
	 "\x7f"
	 "ELF\x02\x01\x01"},
	{"513 bytes", run, "start" + string(508, ' ')},
	{"a page", run, "start" + string(4091, ' ')},
	{"a mebibyte", run, string(1 << 20, 'x')},
	start("a word that is no setting", "4"),
	start("a key without =", "threads"),
	start("a key without a value", "threads="),
	start("a value without a key", "=4"),
	start("only =", "="),
	start("an unknown key", "speed=4"),
	start("a key in capitals", "Threads=4"),
	start("a key cut off", "thread=4"),
	start("blanks around =", "threads = 4"),
	start("two =", "threads==4"),
	start("a comma between settings", "threads=4,refs=4"),
	start("the same key twice", "threads=4 threads=4"),
	start("the same key twice, far apart", "variant=basic threads=4 variant=percpu"),
	start("a good setting before a bad one", "threads=8 refs=0"),
	start("a bad setting before a good one", "refs=0 threads=8"),
	start("no variant", "variant="),
	start("an unknown variant", "variant=nothing"),
	start("a variant in capitals", "variant=Basic"),
	start("a variant cut off", "variant=basi"),
	start("a variant with a tail", "variant=basic1"),
	start("two variants", "variant=basic,percpu"),
	start("a kind for a variant", "variant=ours"),
	start("threads=0", "threads=0"),
	start("threads=257", "threads=257"),
	start("a negative number", "threads=-1"),
	start("a number with a sign", "threads=+4"),
	start("a number with a tail", "threads=4x"),
	start("a word for a number", "threads=four"),
	start("a fraction", "threads=4.0"),
	start("an exponent", "threads=1e2"),
	start("hexadecimal where decimal is wanted", "threads=0x4"),
	start("2^32 + 4", "threads=4294967300"),
	start("2^64 + 4", "threads=18446744073709551620"),
	start("a hundred digits", "threads=" + string(100, '9')),
	start("refs=0", "refs=0"),
	start("refs=1025", "refs=1025"),
	start("refs=9 of static ones", "variant=static refs=9"),
	start("the same in the other order", "refs=9 variant=static"),
	start("waiters=0", "waiters=0"),
	start("waiters=17", "waiters=17"),
	start("msecs=0", "msecs=0"),
	start("a day and a millisecond", "msecs=86400001"),
	start("msecs=-1", "msecs=-1"),
	start("a unit", "msecs=1000ms"),
	start("a broken variant for more than a minute", "variant=broken_no_bias msecs=60001"),
	start("live_us=0", "live_us=0"),
	start("ten seconds and a microsecond", "live_us=10000001"),
	start("a negative seed", "seed=-1"),
	start("seed=2^64", "seed=18446744073709551616"),
	start("a seed of 17 hexadecimal digits", "seed=0x10000000000000000"),
	start("a seed of 0x", "seed=0x"),
	start("a seed with letters", "seed=abc"),
	start("no context", "contexts="),
	start("an unknown context", "contexts=dream"),
	start("a context in capitals", "contexts=SLEEP"),
	start("a comma at the end", "contexts=sleep,"),
	start("a comma in front", "contexts=,sleep"),
	start("two commas", "contexts=sleep,,pinned"),
	start("the same context twice", "contexts=sleep,pinned,sleep"),
	start("all, and one", "contexts=all,sleep"),
	start("a blank in the list", "contexts=sleep, pinned"),
	start("a context that the variant has not", "variant=rwsem contexts=nmi", EOPNOTSUPP),
	start("the same among others", "variant=rwsem contexts=sleep,hardirq", EOPNOTSUPP),
	{"variants is not to be written", "variants", "basic"},
	{"stats is not to be written", "stats", "grants 0"},
	{"latency is not to be written", "latency", "0 0"},
	{"manual: nothing", manual, ""},
	{"manual: an empty line", manual, "\n"},
	{"manual: no ref", manual, "acquire"},
	{"manual: no ref, but a blank", manual, "acquire "},
	{"manual: an unknown ref", manual, "acquire both"},
	{"manual: an unknown command", manual, "hold basic"},
	{"manual: the words swapped", manual, "basic acquire"},
	{"manual: a word too many", manual, "acquire basic 2"},
	{"manual: a capital", manual, "Acquire basic"},
	{"manual: two lines", manual, "acquire basic\nacquire basic\n"},
	{"manual: a NUL", manual, "acquire basic\0"s},
	{"manual: a page", manual, "acquire basic" + string(4083, ' ')},
	{"manual: wait for nothing", manual, "wait"},
	{"manual: release of what nobody holds", manual, "release basic", EPERM},
	{"manual: the same, per CPU", manual, "release percpu", EPERM},
	{"manual: reinitialize what is live", manual, "reinitialize basic", EBUSY},
	{"manual: the same, per CPU", manual, "reinitialize percpu", EBUSY},
};

string read_all(const string &file)
{
	return read_file(debugfs + file).value_or("unreadable");
}

// What a refused line must not change.
string everything()
{
	return read_all(run) + read_all("stats") + read_all(manual);
}

int write_line(const string &file, const string &text)
{
	return write_file(debugfs + file, text);
}

bool idle()
{
	return read_all("stats").starts_with("state idle\n");
}

string quoted(const string &text, size_t most = 80)
{
	std::ostringstream out;
	for (unsigned char c : text.substr(0, most))
		if (c < ' ' || c > '~')
			out << "\\x" << std::hex << int(c);
		else
			out << c;
	return out.str() + (text.size() > most ? "..." : "");
}

// With the right errno, and everything as before.
bool is_refused(const string &file, const string &text, int error)
{
	string before = everything();
	int got = write_line(file, text);
	string after = everything();
	if (got == error && before == after)
		return true;
	say("'" + quoted(text) + "' to " + file + ": " + errno_name(got) + ", not " +
	    errno_name(error) + (before == after ? "" : "; something has changed"));
	if (before != after)
		say("before: " + quoted(before, 2000) + " after: " + quoted(after, 2000));
	// Not to be blamed on the next one.
	write_line(run, "stop");
	return false;
}

// Those whose time is up before all of them are awake. The last one's statistics are not empty.
void test_short_runs()
{
	bool ended = true;
	for (auto msecs : {"1", "1", "1", "50"})
		ended = ended && write_line(run, "start msecs="s + msecs) == 0 && within(60s, idle);
	check(ended, "runs of 1 ms and of 50 ms end by themselves");
}

void test_cases()
{
	for (auto &bad : cases)
		check(is_refused(bad.file, bad.text, bad.error), "refused: "s + bad.name);
}

// Lines that are good but for one thing, and noise.
class Fuzzer
{
public:
	explicit Fuzzer(std::uint64_t seed) : random(seed) {}

	string bad_line()
	{
		string line = "start " + join(some_settings());
		switch (pick(9)) {
		case 0:
			return line + " " + key() + "=" + out_of_range();
		case 1:
			line.insert(pick(line.size()), 1, char(pick(8) + 1));
			return line;
		case 2:
			line.insert(pick(line.size()), 1, '\0');
			return line;
		case 3:
			line.insert(6, 1, char(pick(127) + 128));
			return line;
		case 4:
			return line + " " + word() + "=" + word();
		case 5:
			return line + " " + word();
		case 6:
			return line.substr(0, pick(5)) + " " + word();
		case 7:
			return line + " " + string(513 + pick(5000), ' ');
		default:
			return noise();
		}
	}

	string good_line()
	{
		string line = "start";
		std::vector<string> settings = some_settings();
		// Long enough that it runs when somebody looks.
		if (std::ranges::none_of(settings,
					 [](auto &one) { return one.starts_with("msecs="); }))
			settings.push_back("msecs=60000");
		for (auto &setting : settings)
			line += string(1 + pick(3), pick(2) ? ' ' : '\t') + setting;
		return line + (pick(2) ? "\n" : "");
	}

	string noise()
	{
		string text(1 + pick(600), '\0');
		for (char &c : text)
			c = char(pick(256));
		// Not by chance a line that is good.
		text[0] = char(pick(256) | 0x80);
		return text;
	}

	size_t pick(size_t n) { return random() % n; }

private:
	string key()
	{
		static const char *const keys[] = {"threads", "refs", "waiters", "msecs",
						   "live_us"};
		return keys[pick(5)];
	}

	string out_of_range()
	{
		static const char *const values[] = {"0",           "-5",         "86400001",
						     "4294967296",  "0x2",        "1 000",
						     "99999999999", "2147483648", "3.5"};
		return values[pick(9)];
	}

	// Never a key, a value or a command.
	string word()
	{
		string text = "q";
		for (size_t n = pick(12); n; n--)
			text += char('a' + pick(26));
		return text;
	}

	std::vector<string> some_settings()
	{
		std::vector<string> settings = {
			"variant="s + (pick(2) ? "basic" : "percpu"),
			"threads=" + std::to_string(1 + pick(8)),
			"refs=" + std::to_string(1 + pick(8)),
			"waiters=" + std::to_string(1 + pick(4)),
			"msecs=" + std::to_string(60000 + pick(9000)),
			"live_us=" + std::to_string(1 + pick(5000)),
			"seed=" + std::to_string(random()),
			"contexts="s + (pick(2) ? "all" : "pinned,sleep,work"),
		};
		std::ranges::shuffle(settings, random);
		settings.resize(pick(settings.size() + 1));
		return settings;
	}

	static string join(const std::vector<string> &words)
	{
		string line;
		for (auto &word : words)
			line += (line.empty() ? "" : " ") + word;
		return line;
	}

	std::mt19937_64 random;
};

void test_fuzzed(Fuzzer &fuzzer)
{
	const int lines = is_long() ? 20000 : 400;
	int refused = 0;

	for (int i = 0; i < lines; i++)
		refused += is_refused(run, fuzzer.bad_line(), EINVAL);
	check(refused == lines, std::to_string(lines) + " fuzzed lines are refused");

	refused = 0;
	for (int i = 0; i < lines / 4; i++)
		refused += is_refused(manual, fuzzer.noise(), EINVAL);
	check(refused == lines / 4, "manual: " + std::to_string(lines / 4) + " fuzzed lines, too");
}

void test_odd_writes()
{
	string before = everything();
	const void *nowhere = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	Fd fd(debugfs + run, O_RDWR);
	int first = write_fd(fd, "sta"), second = write_fd(fd, "rt\n");
	check(first == EINVAL && second == EINVAL && before == everything(),
	      "refused: a line in two parts");
	check(lseek(fd.get(), 3, SEEK_SET) == 3 && write_fd(fd, "start") == EINVAL &&
		      before == everything(),
	      "refused: a line that does not begin at the begin of the file");
	lseek(fd.get(), 0, SEEK_SET);
	check(write(fd.get(), nowhere, 5) < 0 && errno == EFAULT && before == everything(),
	      "refused: from an address that is not there");
}

void test_good_lines(Fuzzer &fuzzer)
{
	string wrong;

	for (int i = 0; i < (is_long() ? 100 : 8) && wrong.empty(); i++) {
		string line = fuzzer.good_line();
		if (int error = write_line(run, line))
			wrong = "'" + quoted(line) + "': " + errno_name(error);
		else if (!read_all(run).starts_with("running variant="))
			wrong = "'" + quoted(line) + "': then " + read_all(run);
		else if (int error = write_line(run, "stop"); error || !idle())
			wrong = "stop: " + errno_name(error);
		// What it shows is a line that it takes.
		string shown = read_all(run);
		if (wrong.empty() && !shown.starts_with("idle "))
			wrong = "after the stop: " + shown;
		else if (wrong.empty()) {
			shown.replace(0, 4, "start");
			if (int error = write_line(run, shown))
				wrong = "'" + quoted(shown) + "': " + errno_name(error);
			string now = read_all(run);
			if (wrong.empty() && now.substr(now.find(' ')) != shown.substr(5))
				wrong = "'" + quoted(shown) + "' shows as " + now;
			write_line(run, "stop");
		}
	}
	if (!wrong.empty())
		say(wrong);
	check(wrong.empty(), "lines that are good start a run, and what it shows is one");
}

void test_limits()
{
	string limits = "start variant=basic threads=1 refs=1024 waiters=1 msecs=86400000 "
			"live_us=10000000 seed=0xffffffffffffffff contexts=sleep";
	bool taken = write_line(run, limits + string(512 - limits.size(), ' ')) == 0;
	string shown = read_all(run);
	write_line(run, "stop");
	check(taken && shown.find("refs=1024") != shown.npos &&
		      shown.find("seed=18446744073709551615") != shown.npos,
	      "512 bytes, and values at their limits, are taken");
	check(write_line(run, "stop") == 0, "stop without a run is no error");
}

void test_bad_input_during_a_run()
{
	write_line(run, "start msecs=600000");
	string before = read_all(run) + read_all(manual);
	size_t refused = 0;
	for (auto &bad : cases)
		refused += write_line(bad.file, bad.text) == bad.error;
	check(before.starts_with("running ") && refused == cases.size() &&
		      before == read_all(run) + read_all(manual),
	      "during a run all of them are refused, and the run goes on");
	check(write_line(run, "start msecs=600000") == EBUSY &&
		      write_line(run, "start variant=percpu") == EBUSY &&
		      before == read_all(run) + read_all(manual),
	      "during a run a start is EBUSY, and the run goes on");
	long long grants = number_of(read_all("stats"), "grants");
	check(within(5s, [&] { return number_of(read_all("stats"), "grants") > grants; }),
	      "and holders are granted protection still");
	write_line(run, "stop");
	total("acquires", number_of(read_all("stats"), "grants"));
	total("rundowns", number_of(read_all("stats"), "rundowns"));
}

void test_two_writers()
{
	const int rounds = is_long() ? 200 : 10, writers = 4;
	bool one_each = true, same = true;

	for (int i = 0; i < rounds && one_each; i++) {
		std::vector<std::unique_ptr<Process>> starters;
		for (int k = 0; k < writers; k++)
			starters.push_back(std::make_unique<Process>([k] {
				return write_line(run, "start msecs=600000 threads=" +
							       std::to_string(k + 1));
			}));
		int won = 0, winner = -1, busy = 0;
		for (int k = 0; k < writers; k++) {
			int error = starters[k]->exit_status();
			if (error == 0) {
				won++;
				winner = k;
			}
			busy += error == EBUSY;
		}
		one_each = won == 1 && busy == writers - 1;
		same &= read_all(run).find(" threads=" + std::to_string(winner + 1) + " ") !=
			string::npos;
		// Both stops succeed, and the run has ended then.
		Process other([] { return write_line(run, "stop"); });
		one_each &= write_line(run, "stop") == 0 && idle() && other.exit_status() == 0;
	}
	check(one_each, "of " + std::to_string(writers) +
				" who start at once one does; the others get EBUSY");
	check(same, "and its run is the one that is on");
}

// A line "KEY VALUE" or more; the whole file, in small pieces.
bool is_well_formed(const string &file)
{
	Fd fd(debugfs + file, O_RDONLY);
	string text;
	char piece[7];
	ssize_t n;
	while ((n = read(fd.get(), piece, sizeof(piece))) > 0)
		text.append(piece, n);
	std::istringstream lines(text);
	for (string line; std::getline(lines, line);)
		if (line.find(' ') == string::npos)
			return false;
	return n == 0 && (text.empty() || text.back() == '\n');
}

void test_readers()
{
	const int readers = 3;
	write_line(run, "start msecs=600000 threads=2");
	std::vector<std::unique_ptr<Process>> processes;
	for (int i = 0; i < readers; i++)
		processes.push_back(std::make_unique<Process>([] {
			bool good = true;
			for (int k = 0; k < 15 && good; k++)
				for (auto file : {"run", "variants", "stats", "latency", "manual"})
					good &= is_well_formed(file);
			return good ? 0 : 1;
		}));
	int good = 0;
	for (auto &process : processes)
		good += process->exit_status() == 0;
	check(good == readers && read_all(run).starts_with("running "),
	      "several read all files, in pieces, during a run");
	write_line(run, "stop");
	// Counted in the order in which things happen: a sum may be in their midst, but never less.
	string stats = read_all("stats");
	check(number_of(stats, "grants") == number_of(stats, "releases"),
	      "after it grants and releases are equal");
}

void test_permissions()
{
	string wrong;
	for (auto [file, mode] : {std::pair{"run", 0600},
				  {"manual", 0600},
				  {"variants", 0400},
				  {"stats", 0400},
				  {"latency", 0400}}) {
		struct stat status = {};
		stat((debugfs + file).c_str(), &status);
		if ((status.st_mode & 07777) != static_cast<unsigned>(mode) || status.st_uid != 0)
			wrong += " "s + file;
	}
	check(wrong.empty(), "files are root's, 0600 or 0400" + wrong);

	Process nobody([] {
		if (setgid(65534) || setuid(65534))
			return 1;
		for (auto file : {"run", "manual", "variants", "stats", "latency"})
			if (open((debugfs + file).c_str(), O_RDONLY) >= 0 || errno != EACCES)
				return 1;
		return 0;
	});
	check(nobody.exit_status() == 0, "others can't open them (EACCES)");
}

void test_unload()
{
	write_line(run, "start msecs=600000");
	{
		Fd fd(debugfs + "stats", O_RDONLY);
		check(unload("rundown_stress") == EWOULDBLOCK &&
			      read_all(run).starts_with("running "),
		      "an open file keeps the module, and the run, in place");
	}
	check(unload("rundown_stress") == 0 && !loaded("rundown_stress") && !exists(debugfs),
	      "in mid-run the module unloads, and the run ends");
	check(load("rundown_stress") == 0 && write_line(manual, "acquire basic") == 0 &&
		      write_line(manual, "acquire percpu") == 0 && unload("rundown_stress") == 0,
	      "it unloads with protection acquired by hand");
	check(unload("rundown") == 0, "rundown.ko unloads then");
}

} // namespace

int main()
{
	begin(cases.size() + 22);
	if (load("rundown") || load("rundown_stress"))
		bail_out("rundown.ko and rundown_stress.ko do not load");
	if (!exists(debugfs))
		bail_out("no " + debugfs + ": is debugfs mounted?");

	const char *given = std::getenv("SEED");
	std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
	say("seed " + std::to_string(seed) + "; SEED=... for the same fuzzed lines");
	Fuzzer fuzzer(seed);

	test_short_runs();
	test_cases();
	test_odd_writes();
	test_fuzzed(fuzzer);
	test_limits();
	test_good_lines(fuzzer);
	test_bad_input_during_a_run();
	test_two_writers();
	test_readers();
	test_permissions();
	test_unload();
	ksft_finished();
}
