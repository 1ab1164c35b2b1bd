using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chaos.Faults;

/// <summary>The faults of one run, as plain data; the place of a fault in the list is its name in reports and observations.</summary>
[JsonConverter(typeof(FaultScheduleConverter))]
public sealed class FaultSchedule(IEnumerable<Fault> faults) : IReadOnlyList<Fault>, IEquatable<FaultSchedule>
{
    private readonly Fault[] faults = [.. faults];

    public static readonly FaultSchedule Empty = new([]);

    public int Count => faults.Length;

    public Fault this[int index] => faults[index];

    public FaultSchedule Without(int index) => new(faults.Where((_, i) => i != index));

    public FaultSchedule With(int index, Fault fault) => new(faults.Select((old, i) => i == index ? fault : old));

    public bool Equals(FaultSchedule? other) => other is not null && faults.AsSpan().SequenceEqual(other.faults);

    public override bool Equals(object? obj) => Equals(obj as FaultSchedule);

    public override int GetHashCode() => faults.Length;

    public IEnumerator<Fault> GetEnumerator() => ((IEnumerable<Fault>)faults).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => faults.GetEnumerator();

    /// <summary>One sentence per line.</summary>
    public override string ToString() => string.Join('\n', faults.Select(fault => FaultText.Sentence(fault)));

    public string ToJson() => JsonSerializer.Serialize(this, FaultJson.Options);

    /// <exception cref="JsonException">Not a schedule; the message says where and why.</exception>
    public static FaultSchedule FromJson(string json) =>
        JsonSerializer.Deserialize<FaultSchedule>(json, FaultJson.Options) ?? throw new JsonException("a fault schedule is a list, not null");
}
