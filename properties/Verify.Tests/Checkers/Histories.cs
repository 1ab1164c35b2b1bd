using System.Text;
using Verify.Checkers;
using Verify.History;

namespace Verify.Tests.Checkers;

/// <summary>Short words for hand-written histories: one line is one event of the JSON form, without the ceremony.</summary>
internal static class Histories
{
    public static string Sent(int process, int key, int value, int offset, string more = "") => Send(process, "invoke", key, value) + Send(process, "ok", key, value, offset, more);

    public static string Send(int process, string type, int key, int value, int offset = -1, string more = "") =>
        $$"""{"process":{{process}},"type":"{{type}}","f":"send","mops":[{"op":"send","key":{{key}},"value":{{value}}{{(offset < 0 ? "" : $",\"offset\":{offset}")}}{{more}}}]}""" + "\n";

    /// <summary>A successful poll; each record is (offset, value).</summary>
    public static string Polled(int process, int key, params (int Offset, int Value)[] records) => Poll(process, "ok", key, records);

    public static string Poll(int process, string type, int key, params (int Offset, int Value)[] records) =>
        $$"""{"process":{{process}},"type":"{{type}}","f":"poll","mops":[{"op":"poll","records":[{{string.Join(',', records.Select(r => $$"""{"key":{{key}},"offset":{{r.Offset}},"value":{{r.Value}}}"""))}}]}]}""" + "\n";

    public static string Event(int process, string type, string f, string more = "") =>
        $$"""{"process":{{process}},"type":"{{type}}","f":"{{f}}"{{(more.Length == 0 ? "" : "," + more)}}}""" + "\n";

    public static string FromBeginning(int process, params int[] keys) => Event(process, "ok", "assign", $"\"keys\":[{string.Join(',', keys)}],\"seekToBeginning\":true");

    public static string Final(int process, params int[] keys) => Event(process, "ok", "final", $"\"keys\":[{string.Join(',', keys)}]");

    public static string Observed(int node, string kind, int key, int epoch, int offset, params int[] values) =>
        $$"""{"type":"ok","f":"observe","node":{{node}},"kind":"{{kind}}","key":{{key}},"epoch":{{epoch}},"offset":{{offset}},"values":[{{string.Join(',', values)}}]}""" + "\n";

    public static CheckResult Check(string lines, CheckContract? contract = null) =>
        HistoryCheck.Run(new MemoryStream(Encoding.UTF8.GetBytes(lines)), contract ?? CheckContract.Default);

    public static CheckResult Check(HistoryLog log, CheckContract? contract = null) => HistoryCheck.Run(log, contract ?? CheckContract.Default);

    /// <summary>"name count" of every anomaly found, sorted, in one line.</summary>
    public static string Anomalies(this CheckResult result) =>
        string.Join(", ", result.Findings.SelectMany(static f => f.Anomalies).Select(static a => $"{a.Name} {a.Count}").Order(StringComparer.Ordinal));

    public static Verdict Of(this CheckResult result, string guarantee) => result.Findings.Single(f => f.Guarantee == guarantee).Verdict;

    public static AnomalyCase Only(this CheckResult result, string anomaly) => Assert.Single(result.Findings.SelectMany(static f => f.Anomalies).Single(a => a.Name == anomaly).Cases);
}
