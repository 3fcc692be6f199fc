// SPDX-License-Identifier: GPL-2.0
// What the tests in C++ share: results, files, modules, tasks. A test sees the modules beside
// itself, in the directory it was started in.
#ifndef RUNDOWN_KSFT_HH
#define RUNDOWN_KSFT_HH

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <poll.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <kselftest.h>

namespace ksft
{

using namespace std::chrono_literals;

inline const std::string debugfs = "/sys/kernel/debug/rundown_stress/";

// PROFILE=long in the environment: much more of the same.
inline bool is_long()
{
	const char *profile = std::getenv("PROFILE");
	return profile && !std::strcmp(profile, "long");
}

inline void say(const std::string &text)
{
	ksft_print_msg("%s\n", text.c_str());
}

inline bool check(bool passed, const std::string &name)
{
	ksft_test_result(passed, "%s\n", name.c_str());
	return passed;
}

inline void skip(const std::string &name, const std::string &why)
{
	ksft_test_result_skip("%s (%s)\n", name.c_str(), why.c_str());
}

inline void total(const char *key, long long amount)
{
	ksft_print_msg("total %s %lld\n", key, amount);
}

[[noreturn]] inline void bail_out(const std::string &why)
{
	ksft_exit_fail_msg("%s\n", why.c_str());
}

inline std::string errno_name(int error)
{
	return error ? std::string(strerrorname_np(error)) : "success";
}

// A file descriptor that is closed in time.
class Fd
{
public:
	explicit Fd(int fd = -1) : fd_(fd) {}
	Fd(const std::string &path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC)) {}
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Fd()
	{
		if (fd_ >= 0)
			close(fd_);
	}
	explicit operator bool() const { return fd_ >= 0; }
	int get() const { return fd_; }

private:
	int fd_;
};

// What is in the file, or nothing if it can't be read.
inline std::optional<std::string> read_file(const std::string &path)
{
	Fd fd(path, O_RDONLY);
	if (!fd)
		return std::nullopt;
	std::string text;
	char buffer[4096];
	for (;;) {
		ssize_t n = read(fd.get(), buffer, sizeof(buffer));
		if (n < 0)
			return std::nullopt;
		if (n == 0)
			return text;
		text.append(buffer, n);
	}
}

// One write(); its errno, or 0. A write of less than everything is EMSGSIZE.
inline int write_fd(const Fd &fd, std::string_view text)
{
	ssize_t n = write(fd.get(), text.data(), text.size());
	if (n < 0)
		return errno;
	return static_cast<size_t>(n) == text.size() ? 0 : EMSGSIZE;
}

inline int write_file(const std::string &path, std::string_view text)
{
	Fd fd(path, O_WRONLY);
	return fd ? write_fd(fd, text) : errno;
}

inline bool exists(const std::string &path)
{
	return access(path.c_str(), F_OK) == 0;
}

// The number behind KEY in "KEY NUMBER ..." or in lines of that form; -1 if there is none.
inline long long number_of(std::string_view text, std::string_view key)
{
	for (size_t at = 0; (at = text.find(key, at)) != text.npos; at++) {
		bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\n';
		size_t end = at + key.size();
		if (begins && end < text.size() && text[end] == ' ')
			return std::atoll(std::string(text.substr(end + 1, 20)).c_str());
	}
	return -1;
}

inline int load(const std::string &module, const std::string &parameters = "")
{
	Fd fd("./" + module + ".ko", O_RDONLY);
	if (!fd)
		return errno;
	return syscall(SYS_finit_module, fd.get(), parameters.c_str(), 0) ? errno : 0;
}

inline int load_image(const std::string &image)
{
	return syscall(SYS_init_module, image.data(), image.size(), "") ? errno : 0;
}

// By its content, so that no kernel takes two callers with the same file for one.
inline int load_copy(const std::string &module)
{
	std::optional<std::string> image = read_file("./" + module + ".ko");
	return image ? load_image(*image) : ENOENT;
}

inline int unload(const std::string &module)
{
	return syscall(SYS_delete_module, module.c_str(), O_NONBLOCK) ? errno : 0;
}

inline bool loaded(const std::string &module)
{
	return exists("/sys/module/" + module);
}

// Waits until it is so, at most that long.
inline bool within(std::chrono::milliseconds limit, const std::function<bool()> &condition)
{
	auto end = std::chrono::steady_clock::now() + limit;
	while (!condition()) {
		if (std::chrono::steady_clock::now() >= end)
			return false;
		std::this_thread::sleep_for(5ms);
	}
	return true;
}

// Whatever state a test, perhaps one that was killed, has left behind.
inline void unload_all()
{
	write_file(debugfs + "run", "stop");
	for (auto line : {"release basic", "release percpu"})
		while (write_file(debugfs + "manual", line) == 0) {
		}
	for (auto module : {"rundown_fault", "rundown_stress", "rundown_wdm", "rundown_hotplug",
			    "rundown_second_user", "rundown_user", "rundown"})
		// Who waited may have to end yet, and close its file.
		if (loaded(module) && !within(5s, [&] { return unload(module) == 0; }))
			say(std::string(module) + " does not unload");
}

// How every test begins: as root, with none of our modules loaded, then and at its end.
inline void begin(unsigned int plan)
{
	ksft_print_header();
	if (geteuid() != 0)
		ksft_exit_skip("not root\n");
	unload_all();
	std::atexit(unload_all);
	ksft_set_plan(plan);
}

// A process that does one thing.
class Process
{
public:
	explicit Process(const std::function<int()> &action)
	{
		std::fflush(stdout);
		pid_ = fork();
		if (pid_ < 0)
			bail_out("fork: " + errno_name(errno));
		if (pid_ == 0)
			_exit(action());
	}
	Process(const Process &) = delete;
	void operator=(const Process &) = delete;
	~Process()
	{
		if (!status_) {
			kill(pid_, SIGKILL);
			join();
		}
	}

	pid_t pid() const { return pid_; }
	void signal(int number) const { kill(pid_, number); }

	bool ended()
	{
		int status;
		if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_)
			status_ = status;
		return status_.has_value();
	}

	// As waitpid() tells it.
	int join()
	{
		int status;
		if (!status_ && waitpid(pid_, &status, 0) == pid_)
			status_ = status;
		return status_.value_or(-1);
	}

	int exit_status()
	{
		int status = join();
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}

	// D is uninterruptible sleep.
	char state() const
	{
		std::string stat =
			read_file("/proc/" + std::to_string(pid_) + "/stat").value_or("");
		size_t at = stat.rfind(')');
		return at == stat.npos || at + 2 >= stat.size() ? '?' : stat[at + 2];
	}

private:
	pid_t pid_;
	std::optional<int> status_;
};

// A ref of the stress module, by hand: what is done with it, whether that many wait for its one
// holder.
inline int manual(const std::string &line)
{
	return write_file(debugfs + "manual", line);
}

inline bool waiting(const std::string &kind, size_t waiters)
{
	return read_file(debugfs + "manual")
		       .value_or("")
		       .find(kind + " down held 1 waiting " + std::to_string(waiters) + "\n") !=
	       std::string::npos;
}

// In the wait: on PREEMPT_RT a task that waits for a lock is in the same state.
inline bool is_blocked(const Process &process, const std::string &kind, size_t waiters = 1)
{
	return within(20s, [&] { return waiting(kind, waiters) && process.state() == 'D'; });
}

} // namespace ksft

#endif
