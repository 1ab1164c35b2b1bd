using System.Diagnostics;
using System.Runtime.InteropServices;
using Broker.Runtime;

namespace Reports.Tests;

/// <summary><c>mqverify broker</c> as a process of its own; killed by its id if it still runs at the end.</summary>
internal sealed class BrokerProcess : IDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource<string> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> lines = [];
    private readonly Process process;

    public BrokerProcess(params string[] arguments)
    {
        process = new Process { StartInfo = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "mqverify.dll"), "broker", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true } };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Said
    {
        get
        {
            lock (lines) return string.Join('\n', lines);
        }
    }

    /// <summary>Where it serves, once it does.</summary>
    public async Task<IReadOnlyList<Endpoint>> ReadyAsync()
    {
        var line = await ready.Task.WaitAsync(Patience);
        var listed = line.Split("bootstrap.servers=")[1].Split(';')[0];
        return [.. listed.Split(',').Select(address => new Endpoint(address.Split(':')[0], int.Parse(address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)))];
    }

    /// <summary>SIGKILL, by its process id.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGTERM, by its process id; its exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        Assert.Equal(0, SendSignal(process.Id, Terminate));
        return await ExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited) Kill();
        process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            ready.TrySetException(new InvalidOperationException($"it ended before it was ready: {Said}"));
            return;
        }
        lock (lines) lines.Add(line);
        if (line.Contains(" ready: ", StringComparison.Ordinal)) ready.TrySetResult(line);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
