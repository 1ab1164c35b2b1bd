using System.Diagnostics;
using Verify.Campaign.Campaigns;

namespace Verify.Cli.Campaigns;

/// <summary>Tells how far long work is: a line that renews itself on a terminal, a plain line now and then elsewhere. On standard error, so that results stay clean.</summary>
internal sealed class ProgressLine : IDisposable
{
    private const int BarWidth = 24;
    private static readonly TimeSpan OnTerminal = TimeSpan.FromMilliseconds(200), Elsewhere = TimeSpan.FromSeconds(10);

    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly Streams streams;
    private readonly string what;
    private readonly Func<CampaignProgress> look;
    private readonly Timer? timer;
    private readonly bool renews = !Console.IsErrorRedirected;
    private readonly Lock writing = new();

    private ProgressLine(Streams streams, string what, Func<CampaignProgress> look, bool silent)
    {
        (this.streams, this.what, this.look) = (streams, what, look);
        if (silent) return;
        var every = renews ? OnTerminal : Elsewhere;
        timer = new Timer(_ => Tell(), null, every, every);
    }

    /// <summary>Shows progress until it is disposed.</summary>
    public static ProgressLine Show(Streams streams, bool silent, string what, Func<CampaignProgress> look) => new(streams, what, look, silent);

    public void Dispose()
    {
        if (timer is null) return;
        timer.Dispose();
        lock (writing)
            if (renews) streams.Error.Write($"\r{new string(' ', 79)}\r");
    }

    private void Tell()
    {
        var now = look();
        var share = now.Total == 0 ? 1 : (double)now.Done / now.Total;
        var left = now.Done == 0 ? "" : $", {Spell(watch.Elapsed / share * (1 - share))} left";
        var seen = now.Broken > 0 ? $", {now.Broken:N0} BROKEN" : now.Permitted > 0 ? $", {now.Permitted:N0} permitted losses" : "";
        lock (writing)
        {
            if (renews) streams.Error.Write($"\r{$"[{new string('#', (int)(share * BarWidth)).PadRight(BarWidth, '.')}] {now.Done:N0} of {now.Total:N0} {what}{left}{seen}",-79}"[..80]);
            else streams.Error.WriteLine($"{now.Done:N0} of {now.Total:N0} {what}{left}{seen}");
        }
    }

    private static string Spell(TimeSpan time) => time.TotalSeconds < 90 ? $"{time.TotalSeconds:0} s" : $"{time.TotalMinutes:0} min";
}
