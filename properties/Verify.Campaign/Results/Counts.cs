using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Verify.Campaign.Results;

/// <summary>Named counts, such as faults that bit or excuses that applied. Immutable; iterates in ordinal order of the names; never holds a zero.</summary>
[JsonConverter(typeof(CountsConverter))]
[SuppressMessage("Naming", "CA1710", Justification = "Counts is what it holds; Collection would add nothing.")]
public sealed class Counts : IReadOnlyCollection<KeyValuePair<string, long>>, IEquatable<Counts>
{
    public static readonly Counts Empty = new([]);

    private readonly SortedDictionary<string, long> byName;

    private Counts(SortedDictionary<string, long> byName) => this.byName = byName;

    public static Counts Of(params IEnumerable<KeyValuePair<string, long>> counts)
    {
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, count) in counts) sums[name] = sums.GetValueOrDefault(name) + count;
        foreach (var name in sums.Keys.ToArray())
            if (sums[name] == 0) sums.Remove(name);
        return new Counts(sums);
    }

    /// <summary>Zero for a name that was never counted.</summary>
    public long this[string name] => byName.GetValueOrDefault(name);

    public int Count => byName.Count;

    public long Total => byName.Values.Sum();

    public Counts Add(string name, long count = 1) => Of([.. byName, new(name, count)]);

    public static Counts operator +(Counts left, Counts right) => Of([.. left, .. right]);

    public bool Equals(Counts? other) => other is not null && byName.SequenceEqual(other.byName);

    public override bool Equals(object? obj) => Equals(obj as Counts);

    public override int GetHashCode() => byName.Aggregate(17, (hash, pair) => HashCode.Combine(hash, pair.Key, pair.Value));

    public IEnumerator<KeyValuePair<string, long>> GetEnumerator() => byName.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", byName.Select(pair => $"{pair.Key} {pair.Value}"));
}

/// <summary>A JSON object from name to whole number.</summary>
internal sealed class CountsConverter : JsonConverter<Counts>
{
    public override Counts Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not JsonTokenType.StartObject) throw new JsonException("counts must be an object of whole numbers");
        var counts = new List<KeyValuePair<string, long>>();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType is not JsonTokenType.Number || !reader.TryGetInt64(out var count))
                throw new JsonException($"the count of '{name}' must be a whole number");
            counts.Add(new(name, count));
        }
        return Counts.Of(counts);
    }

    public override void Write(Utf8JsonWriter writer, Counts value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, count) in value) writer.WriteNumber(name, count);
        writer.WriteEndObject();
    }
}
