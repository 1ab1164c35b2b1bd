using System.Runtime.InteropServices;

namespace Verify.Cli;

/// <summary>Ctrl-C or SIGTERM, any number of times: what runs is asked once to stop in good order, and has a while for it.</summary>
internal sealed class Interruption : IDisposable
{
    private const int InterruptedCode = 130;                           // 128 + SIGINT, as shells have it

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource stop = new();
    private readonly PosixSignalRegistration interrupt, terminate;
    private readonly Timer limit = new(static _ => Environment.Exit(InterruptedCode));

    public Interruption() =>
        (interrupt, terminate) = (PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));

    public CancellationToken Token => stop.Token;

    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        limit.Dispose();
        stop.Dispose();
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (stop.IsCancellationRequested) return;
        limit.Change(Patience, Timeout.InfiniteTimeSpan);
        stop.Cancel();
    }
}
