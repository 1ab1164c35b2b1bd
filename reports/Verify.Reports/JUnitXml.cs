using System.Text;
using System.Xml;
using Verify.Campaign.Results;

namespace Verify.Reports;

/// <summary>
/// The result for a build server: a suite per configuration, a case per guarantee. Promised and violated is a failure, promised and not put
/// to the test an error, permitted a pass with a message.
/// </summary>
public static class JUnitXml
{
    public static string Render(CampaignResult result)
    {
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, NewLineChars = "\n", OmitXmlDeclaration = true }))
        {
            var suites = result.Cells.Select(cell => (Cell: cell, Cases: Cases(cell).ToArray())).ToArray();
            xml.WriteStartElement("testsuites");
            xml.WriteAttributeString("name", "mqverify");
            WriteCounts(xml, [.. suites.SelectMany(suite => suite.Cases)]);
            xml.WriteAttributeString("time", result.WallSeconds.ToString("0.000"));
            foreach (var (cell, cases) in suites) WriteSuite(xml, Wording.Name(result, cell), cell, cases);
            xml.WriteEndElement();
        }
        return $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{text}\n";
    }

    private sealed record Case(string Name, Standing Standing, string Message, string Detail);

    /// <summary>A configuration that never ran, or has nothing to judge, is one error, so that a build cannot pass on it.</summary>
    private static IEnumerable<Case> Cases(CellResult cell)
    {
        if (cell.Exercised.Runs == 0 || cell.Guarantees.Count == 0)
            yield return new Case("ran", Standing.Unknown, cell.Exercised.Runs == 0 ? "no run of this configuration was made" : "no guarantee of this configuration can be judged", "");
        foreach (var guarantee in cell.Exercised.Runs == 0 ? [] : cell.Guarantees)
            yield return new Case(guarantee.Name, StandingOf(guarantee), $"{Wording.Promise(guarantee)}; {Wording.Seen(guarantee)}", Detail(guarantee));
    }

    /// <summary>What is not promised and could not be judged fails nothing.</summary>
    private static Standing StandingOf(GuaranteeResult guarantee) =>
        Wording.StandingOf(guarantee) is Standing.Unknown && !guarantee.PromisedButNotExercised ? Standing.Permitted : Wording.StandingOf(guarantee);

    private static string Detail(GuaranteeResult guarantee) => string.Join("\n", ((string?[])
    [
        Wording.Broken(guarantee),
        guarantee.Anomalies.Count > 0 ? $"anomalies: {Wording.Many(guarantee.Anomalies)}" : null,
        guarantee.Excuses.Count > 0 ? $"excuses: {Wording.Many(guarantee.Excuses)}" : null,
        guarantee.Story is { } story ? $"replay: mqverify replay {story}" : null,
    ]).OfType<string>());

    private static void WriteCounts(XmlWriter xml, Case[] cases)
    {
        xml.WriteAttributeString("tests", cases.Length.ToString());
        xml.WriteAttributeString("failures", cases.Count(one => one.Standing is Standing.Broken).ToString());
        xml.WriteAttributeString("errors", cases.Count(one => one.Standing is Standing.Unknown).ToString());
    }

    private static void WriteSuite(XmlWriter xml, string name, CellResult cell, Case[] cases)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", Text(name));
        WriteCounts(xml, cases);
        xml.WriteStartElement("properties");
        foreach (var (setting, value) in (KeyValuePair<string, string>[])[.. cell.Configuration, new("system", cell.System), new("on", cell.On), new("workload", cell.Workload)])
        {
            xml.WriteStartElement("property");
            xml.WriteAttributeString("name", Text(setting));
            xml.WriteAttributeString("value", Text(value));
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        foreach (var one in cases) WriteCase(xml, name, one);
        xml.WriteEndElement();
    }

    private static void WriteCase(XmlWriter xml, string suite, Case one)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", Text(suite));
        xml.WriteAttributeString("name", Text(one.Name));
        if (one.Standing is Standing.Broken or Standing.Unknown)
        {
            xml.WriteStartElement(one.Standing is Standing.Broken ? "failure" : "error");
            xml.WriteAttributeString("message", Text(one.Message));
            xml.WriteString(Text(one.Detail));
            xml.WriteEndElement();
        }
        else xml.WriteElementString("system-out", Text(one.Detail.Length > 0 ? $"{one.Message}\n{one.Detail}" : one.Message));
        xml.WriteEndElement();
    }

    /// <summary>Without what XML 1.0 cannot hold.</summary>
    private static string Text(string words) =>
        string.Concat(words.Replace('\u00a0', ' ').EnumerateRunes().Select(rune => rune.Value is '\n' or '\t' or >= 0x20 and not (0xFFFE or 0xFFFF) ? rune.ToString() : " "));
}
