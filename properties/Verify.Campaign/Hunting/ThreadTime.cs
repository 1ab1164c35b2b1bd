using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Verify.Campaign.Hunting;

/// <summary>Processor time of the calling thread: what a hunt costs, however many others share the machine. .NET itself tells it for the whole process only.</summary>
public static class ThreadTime
{
    private const int LinuxThreadClock = 3, MacThreadClock = 16;
    private const long TicksPerSecond = TimeSpan.TicksPerSecond, NanosecondsPerTick = 100;

    /// <summary>Used so far. Where the system does not tell: wall time.</summary>
    public static TimeSpan Now
    {
        get
        {
            if (OperatingSystem.IsWindows()) return GetThreadTimes(GetCurrentThread(), out _, out _, out var kernel, out var user) ? TimeSpan.FromTicks(kernel + user) : Stopwatch.GetElapsedTime(0);
            var clock = OperatingSystem.IsMacOS() ? MacThreadClock : LinuxThreadClock;
            return ReadClock(clock, out var time) == 0 ? TimeSpan.FromTicks(time.Seconds * TicksPerSecond + time.Nanoseconds / NanosecondsPerTick) : Stopwatch.GetElapsedTime(0);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ClockTime
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ReadClock(int clock, out ClockTime time);

    [DllImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint GetCurrentThread();

    [DllImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool GetThreadTimes(nint thread, out long created, out long exited, out long kernel, out long user);
}
