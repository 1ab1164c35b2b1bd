using System.Text;
using System.Text.Json;
using Verify.History;

namespace Verify.Checkers;

/// <summary>Judges a recorded history from anywhere in one pass: what <c>mqverify check</c> does.</summary>
public static class HistoryCheck
{
    /// <param name="jsonLines">The history; read to its end, not closed.</param>
    /// <param name="contract">What the history is judged under.</param>
    /// <exception cref="HistoryFormatException">A line is not an event; names line and field.</exception>
    public static CheckResult Run(Stream jsonLines, CheckContract contract)
    {
        var suite = CheckerSuite.For(contract);
        var scope = new Scope(contract);
        var reader = new HistoryJsonReader(jsonLines);
        while (reader.Read(out var e))
        {
            suite.Observe(e);
            scope.Observe(e);
        }
        return Judge(suite, scope, contract);
    }

    /// <summary>The same for a history in memory.</summary>
    public static CheckResult Run(HistoryLog log, CheckContract contract)
    {
        var suite = CheckerSuite.For(contract);
        var scope = new Scope(contract);
        foreach (var e in log)
        {
            suite.Observe(e);
            scope.Observe(e);
        }
        return Judge(suite, scope, contract);
    }

    /// <summary>What kinds of events a history has, and so which guarantees it can be about.</summary>
    private sealed class Scope(CheckContract contract)
    {
        private bool records, nodes, topics, heal, groups, resumes, generations;

        public void Observe(in HistoryEvent e)
        {
            if (e.Function is EventFunction.Send or EventFunction.Poll or EventFunction.Txn) records = true;
            else if (e.Function == EventFunction.Observe) nodes = true;
            else if (e.Function is EventFunction.Create or EventFunction.Delete) topics = true;
            else if (e.Function == EventFunction.Heal) heal = true;
            else if (e.Function is EventFunction.Subscribe or EventFunction.Process) groups = true;
            else if (e.Function == EventFunction.Commit) (groups, generations) = (true, generations || e.Detail.Generation >= 0);
            else if (e.Function == EventFunction.Assigned && e.Detail.Group >= 0) (groups, resumes) = (true, resumes || e.Offsets.Length > 0);
        }

        public bool Covers(string guarantee) => guarantee switch
        {
            Guarantee.AtLeastOnce or Guarantee.AtMostOnce => groups || records && contract.Subscription == Subscription.Subscribe,
            Guarantee.FencedZombies => generations,
            Guarantee.CommittedOffsets => resumes,
            Guarantee.ReplicaAgreement => nodes,
            Guarantee.TimelyDelivery => contract.Compacted,
            Guarantee.MetadataAgreement => topics,
            Guarantee.Recovery => heal,
            _ => records || !nodes && !topics && !heal && !groups,
        };
    }

    private static CheckResult Judge(CheckerSuite suite, Scope scope, CheckContract contract)
    {
        var findings = suite.Conclude().Where(f => scope.Covers(f.Guarantee)).ToArray();
        var promised = findings.Where(f => contract.Promises(f.Guarantee)).ToArray();
        var verdict = promised.Any(static f => f.Verdict == Verdict.Violated) ? Verdict.Violated
            : promised.Any(static f => f.Verdict == Verdict.Unknown && f.Of > 0) || findings.All(static f => !f.Exercised) ? Verdict.Unknown
            : Verdict.Held;
        return new CheckResult(verdict, suite.Count, findings, contract);
    }
}

/// <summary>The verdict on a history.</summary>
/// <param name="Verdict">Violated if a promised guarantee is; else unknown if one had something at stake and cannot be told, or if nothing was exercised; else held.</param>
/// <param name="Events">How many were read.</param>
/// <param name="Findings">Those that the history can be about.</param>
/// <param name="Contract">Under which it was judged.</param>
public sealed record CheckResult(Verdict Verdict, int Events, IReadOnlyList<Finding> Findings, CheckContract Contract)
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Held => "held",
        Verdict.Violated => "violated",
        Verdict.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "no such verdict"),
    };

    /// <summary><c>{"verdict","guarantees":[{"name","verdict","anomalies":[{"name","count","cases"}]}]}</c>; a guarantee that the contract does not promise also has <c>"promised":false</c>, an unknown one <c>"why"</c>.</summary>
    public string ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Indented)) Write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("verdict", Word(Verdict));
        json.WriteStartArray("guarantees");
        foreach (var finding in Findings) Write(json, finding);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, Finding finding)
    {
        json.WriteStartObject();
        json.WriteString("name", finding.Guarantee);
        json.WriteString("verdict", Word(finding.Verdict));
        if (!Contract.Promises(finding.Guarantee)) json.WriteBoolean("promised", false);
        if (finding.Why is not null) json.WriteString("why", finding.Why);
        json.WriteNumber("of", finding.Of);
        json.WriteStartArray("anomalies");
        foreach (var anomaly in finding.Anomalies) Write(json, anomaly);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Anomaly anomaly)
    {
        json.WriteStartObject();
        json.WriteString("name", anomaly.Name);
        json.WriteNumber("count", anomaly.Count);
        json.WriteStartArray("cases");
        foreach (var instance in anomaly.Cases)
        {
            json.WriteStartObject();
            json.WriteString("key", instance.Key);
            Numbers(json, "offsets", instance.Offsets);
            json.WriteStartArray("values");
            foreach (var value in instance.Values) json.WriteStringValue(value);
            json.WriteEndArray();
            Numbers(json, "processes", instance.Processes.Select(static p => (long)p));
            Numbers(json, "events", instance.Events);
            json.WriteString("note", instance.Note);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Numbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
