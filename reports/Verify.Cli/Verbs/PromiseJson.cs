using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Verify.Promises;

namespace Verify.Cli.Verbs;

/// <summary>
/// A configuration's promises for scripts:
/// <c>{"configuration":{…},"given":{…},"assumed":{…},"guarantees":[{"name","says","byFaultClass":{"N":{"level","excuses":[…]},…}}],
/// "excuses":{name:{"says","source"}},"tradeOffs":[…],"faultClasses":{…},"defaultsThatDiffer":[…],"notes":[…]}</c>.
/// </summary>
internal static class PromiseJson
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(PromiseText promise, ConfigurationInput input)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Indented))
        {
            json.WriteStartObject();
            WriteConfiguration(json, input);
            WriteGuarantees(json, promise);
            WriteWords(json, promise);
            WriteInput(json, input);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public static string Word(PromiseLevel level) => level switch
    {
        PromiseLevel.Keep => "keep",
        PromiseLevel.Hold => "hold",
        PromiseLevel.Permitted => "permitted",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "no such level"),
    };

    private static void WriteConfiguration(Utf8JsonWriter json, ConfigurationInput input)
    {
        var configuration = input.Configuration;
        Write(json, "configuration", configuration.All);
        Write(json, "given", configuration.Given.Where(g => !input.Assumed.Contains(g.Key)));
        Write(json, "assumed", input.Assumed.Select(n => KeyValuePair.Create(n, configuration.Value(n))));
    }

    private static void WriteGuarantees(Utf8JsonWriter json, PromiseText promise)
    {
        json.WriteStartArray("guarantees");
        foreach (var guarantee in promise.Guarantees)
        {
            json.WriteStartObject();
            json.WriteString("name", guarantee.Guarantee.Name);
            json.WriteString("says", guarantee.Guarantee.Says);
            json.WriteStartObject("byFaultClass");
            foreach (var byClass in guarantee.ByClass)
            {
                json.WriteStartObject(byClass.Class.Word);
                json.WriteString("level", Word(byClass.Level));
                json.WriteStartArray("excuses");
                foreach (var excuse in byClass.Excuses) json.WriteStringValue(excuse.Name);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteWords(Utf8JsonWriter json, PromiseText promise)
    {
        json.WriteStartObject("excuses");
        foreach (var excuse in promise.Guarantees.SelectMany(g => g.ByClass).SelectMany(p => p.Excuses).Distinct())
            Write(json, excuse.Name, [KeyValuePair.Create("says", excuse.Says), KeyValuePair.Create("source", excuse.Source)]);
        json.WriteEndObject();

        json.WriteStartArray("tradeOffs");
        foreach (var t in promise.TradeOffs)
        {
            Write(json, null,
                [KeyValuePair.Create("id", t.Id), KeyValuePair.Create("name", t.Name), KeyValuePair.Create("permitted", t.Permitted),
                 KeyValuePair.Create("stillPromised", t.StillPromised), KeyValuePair.Create("source", t.Source)]);
        }

        json.WriteEndArray();
        Write(json, "faultClasses", FaultClass.All.Select(f => KeyValuePair.Create(f.Word, f.Says)));
    }

    private static void WriteInput(Utf8JsonWriter json, ConfigurationInput input)
    {
        json.WriteStartArray("defaultsThatDiffer");
        foreach (var d in input.Configuration.DifferencesFromKafka)
        {
            json.WriteStartObject();
            json.WriteString("setting", d.Name);
            json.WriteString("here", d.Ours);
            json.WriteString("kafka", d.Kafkas);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (var n in input.Notes)
        {
            var kind = n.Kind switch { NoteKind.NotModelled => "not-modelled", NoteKind.Unknown => "unknown", NoteKind.Assumed => "assumed", NoteKind.Overridden => "overridden", _ => throw new InvalidOperationException($"no such note: {n.Kind}") };
            Write(json, null, [KeyValuePair.Create("kind", kind), KeyValuePair.Create("name", n.Name), KeyValuePair.Create("source", n.Source), KeyValuePair.Create("message", n.Message)]);
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string? name, IEnumerable<KeyValuePair<string, string>> members)
    {
        if (name is null) json.WriteStartObject();
        else json.WriteStartObject(name);
        foreach (var (key, value) in members) json.WriteString(key, value);
        json.WriteEndObject();
    }
}
