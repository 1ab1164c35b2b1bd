using Verify.Promises;
using Verify.Reports;

namespace Verify.Cli.Verbs;

/// <summary>A configuration's promises for people: the table first, then why, then what it rests on.</summary>
internal static class PromisePage
{
    private const int Columns = 110;

    public static void Write(PromiseText promise, ConfigurationInput input, TextWriter output)
    {
        WriteTable(promise, output);
        WriteExcuses(promise, output);
        WriteTradeOffs(promise, output);
        WriteSettings(input, output);
        WriteNotes(input, output);
    }

    private static void WriteTable(PromiseText promise, TextWriter output)
    {
        output.WriteLine($"What {Headline(promise.Configuration)} promises");
        output.WriteLine();
        var width = promise.Guarantees.Max(g => g.Guarantee.Name.Length);
        output.WriteLine($"{"".PadRight(width)}  {string.Join("  ", FaultClass.All.Select(f => Heading(f).PadRight(Width(f))))}".TrimEnd());
        foreach (var guarantee in promise.Guarantees)
            output.WriteLine($"{guarantee.Guarantee.Name.PadRight(width)}  {string.Join("  ", guarantee.ByClass.Select(p => Word(p.Level).PadRight(Width(p.Class))))}".TrimEnd());
        output.WriteLine();
        output.WriteLine("keep: kept, and work goes on. hold: kept, but clients may have to wait. permitted: may be broken, for a reason below.");
        foreach (var faults in FaultClass.All) output.WriteLine($"  {faults.Word,-2}  {faults.Says}");
    }

    private static void WriteExcuses(PromiseText promise, TextWriter output)
    {
        var excuses = promise.Guarantees.SelectMany(g => g.ByClass).SelectMany(p => p.Excuses).Distinct().ToList();
        if (excuses.Count == 0) return;
        output.WriteLine();
        output.WriteLine("Permitted only for these reasons, each to be shown of the very record in the very run:");
        foreach (var excuse in excuses)
        {
            var broken = promise.Guarantees.Where(g => g.ByClass.Any(p => p.Excuses.Contains(excuse))).Select(g => g.Guarantee.Name);
            Paragraph(output, $"  {excuse.Name}: ", $"{excuse.Says} ({excuse.Source}). Touches {string.Join(", ", broken)}.", "    ");
        }
    }

    private static void WriteTradeOffs(PromiseText promise, TextWriter output)
    {
        if (promise.TradeOffs.IsEmpty) return;
        output.WriteLine();
        output.WriteLine("Trade-offs in force:");
        foreach (var tradeOff in promise.TradeOffs)
        {
            output.WriteLine($"  {tradeOff.Id} {tradeOff.Name} ({tradeOff.Source})");
            Paragraph(output, "    permitted: ", tradeOff.Permitted, "      ");
            Paragraph(output, "    still promised: ", tradeOff.StillPromised, "      ");
        }
    }

    private static void WriteSettings(ConfigurationInput input, TextWriter output)
    {
        var configuration = input.Configuration;
        var given = configuration.Given.Where(g => !input.Assumed.Contains(g.Key)).Select(g => $"{g.Key}={g.Value}").ToList();
        output.WriteLine();
        Paragraph(output, "Given: ", given.Count == 0 ? "nothing" : string.Join(", ", given), "  ");
        if (input.Assumed.Count > 0)
            Paragraph(output, "In no file, so Kafka's default: ", string.Join(", ", input.Assumed.Select(n => $"{n}={configuration.Value(n)}")), "  ");
        if (configuration.DifferencesFromKafka is not { Count: > 0 } differences) return;
        output.WriteLine("Defaults here that differ from Kafka's:");
        foreach (var difference in differences) output.WriteLine($"  {difference.Name}={difference.Ours} (Kafka: {difference.Kafkas ?? "none"})");
    }

    private static void WriteNotes(ConfigurationInput input, TextWriter output)
    {
        if (input.Notes.Count == 0) return;
        output.WriteLine();
        foreach (var note in input.Notes.Where(n => n.Kind != NoteKind.NotModelled)) output.WriteLine($"{note.Source}: {TextLayout.Printable(note.Message)}");
        var silent = input.Notes.Where(n => n.Kind == NoteKind.NotModelled).Select(n => n.Name).Distinct().ToList();
        if (silent.Count > 0) Paragraph(output, "Not modelled, no effect on this promise: ", string.Join(", ", silent), "  ");
    }

    private static string Headline(Configuration c) =>
        $"acks={c.Value(SettingCatalogue.Acks)}, {c.ReplicationFactor} replica{(c.ReplicationFactor == 1 ? "" : "s")}, min.insync.replicas={c.MinInsyncReplicas}"
        + $"{(c.MinInsyncReplicas > c.ReplicationFactor ? $" (acts as {c.EffectiveMinInsyncReplicas})" : "")}, "
        + $"unclean election {(c.UncleanLeaderElection ? "on" : "off")}, idempotence {(c.Idempotence ? "on" : "off")}{(c.FlushesEveryBatch ? ", each batch flushed" : "")}";

    private static string Heading(FaultClass faults) => $"{faults.Word} {faults.Name}";

    private static int Width(FaultClass faults) => Math.Max(Heading(faults).Length, "permitted".Length);

    private static string Word(PromiseLevel level) => PromiseJson.Word(level);

    private static void Paragraph(TextWriter output, string lead, string text, string indent)
    {
        var lines = TextLayout.Wrap(lead.TrimStart() + text, Columns - indent.Length);
        output.WriteLine(lead[..^lead.TrimStart().Length] + lines[0]);
        foreach (var line in lines.Skip(1)) output.WriteLine(indent + line);
    }
}
