// SPDX-License-Identifier: GPL-2.0
//
// A library to preload into User-Mode Linux, so that it starts on machines with large vector
// registers.
//
// Linux 6.12's keeps 2696 bytes of them for each of its processes, but the host sets all that it
// has or none. Where that is more, as with AMX, no process starts. So the rest stays what it is: in
// the host's process that stands for the guest's.
#include <dlfcn.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstddef>

namespace
{

using Ptrace = long(__ptrace_request, ...);

alignas(64) std::array<std::byte, 65536> all_registers;

long get_all(Ptrace *host, long pid, iovec &all)
{
	all = {all_registers.data(), all_registers.size()};
	return host(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all);
}

long get_registers(Ptrace *host, long pid, iovec &wanted)
{
	iovec all;
	const long status = get_all(host, pid, all);
	if (status == 0) {
		wanted.iov_len = std::min(wanted.iov_len, all.iov_len);
		std::copy_n(all_registers.data(), wanted.iov_len,
			    static_cast<std::byte *>(wanted.iov_base));
	}
	return status;
}

long set_registers(Ptrace *host, long pid, const iovec &wanted)
{
	iovec all;
	const long status = get_all(host, pid, all);
	if (status != 0) {
		return status;
	}
	std::copy_n(static_cast<const std::byte *>(wanted.iov_base),
		    std::min(wanted.iov_len, all.iov_len), all_registers.data());
	return host(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}

} // namespace

extern "C" long ptrace(__ptrace_request request, ...) noexcept
{
	static const auto host = reinterpret_cast<Ptrace *>(dlsym(RTLD_NEXT, "ptrace"));
	va_list list;
	va_start(list, request);
	const long pid = va_arg(list, long);
	const long address = va_arg(list, long);
	void *const data = va_arg(list, void *);
	va_end(list);

	if (request == PTRACE_GETREGSET && address == NT_X86_XSTATE) {
		return get_registers(host, pid, *static_cast<iovec *>(data));
	}
	if (request == PTRACE_SETREGSET && address == NT_X86_XSTATE) {
		return set_registers(host, pid, *static_cast<const iovec *>(data));
	}
	return host(request, pid, address, data);
}
