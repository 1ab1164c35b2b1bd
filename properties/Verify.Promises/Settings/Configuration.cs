using System.Collections.Immutable;
using System.Globalization;

namespace Verify.Promises;

/// <summary>What the producer waits for before it is told that a record is written.</summary>
public enum Acks
{
    /// <summary>Nothing: the broker does not answer.</summary>
    Zero,

    /// <summary>The leader has appended it.</summary>
    One,

    /// <summary>Every in-sync replica has it.</summary>
    All,
}

/// <summary>When the members of consumer groups commit.</summary>
public enum Commit
{
    /// <summary>There are no groups.</summary>
    None,

    /// <summary>Before the records are handed to whoever processes them.</summary>
    Before,

    /// <summary>When they are processed, at each poll.</summary>
    After,

    /// <summary>When they are processed, at the first poll after auto.commit.interval.ms.</summary>
    Auto,
}

/// <summary>A default of ours that is not Kafka's, for the report. Kafka's is null where it has none.</summary>
public sealed record DifferentDefault(string Name, string Ours, string? Kafkas, string Meaning);

/// <summary>
/// A complete, valid set of values for the settings of <see cref="SettingCatalogue"/>: what was given, and defaults for the rest. Immutable;
/// equal when every value is.
/// </summary>
public sealed class Configuration : IEquatable<Configuration>
{
    private static readonly ImmutableSortedDictionary<string, string> Nothing = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    private readonly ImmutableSortedDictionary<string, string> given, usual;

    private Configuration(ImmutableSortedDictionary<string, string> given, ImmutableSortedDictionary<string, string> usual)
    {
        (this.given, this.usual) = (given, usual);
        Acks = Value(SettingCatalogue.Acks) switch { "0" => Acks.Zero, "1" => Acks.One, _ => Acks.All };
        Idempotence = given.TryGetValue(SettingCatalogue.EnableIdempotence, out var asked) ? asked == "true" : Acks == Acks.All && Retries > 0;
        ConfigurationRules.Check(this);
    }

    public static Configuration Default { get; } = new(Nothing, Nothing);

    public Acks Acks { get; }

    /// <summary>On by default with acks=all and retries, off otherwise; asking for it where it cannot be is an error, as with Kafka.</summary>
    public bool Idempotence { get; }

    public int Retries => Number(SettingCatalogue.Retries);

    public int MaxInFlight => Number(SettingCatalogue.MaxInFlight);

    public TimeSpan RequestTimeout => Duration(SettingCatalogue.RequestTimeout);

    public TimeSpan DeliveryTimeout => Duration(SettingCatalogue.DeliveryTimeout);

    public int ReplicationFactor => Number(SettingCatalogue.ReplicationFactor);

    /// <summary>As given; it may exceed the replication factor.</summary>
    public int MinInsyncReplicas => Number(SettingCatalogue.MinInsyncReplicas);

    /// <summary>What acts: the setting, but never more than there are replicas (Kafka's effective min ISR, KAFKA-15583).</summary>
    public int EffectiveMinInsyncReplicas => Math.Min(MinInsyncReplicas, ReplicationFactor);

    public bool UncleanLeaderElection => Value(SettingCatalogue.UncleanLeaderElection) == "true";

    /// <summary>Records after which a replica flushes its log; <see cref="long.MaxValue"/>: never for that reason.</summary>
    public long FlushMessages => Parsed(Value(SettingCatalogue.FlushMessages));

    /// <summary>Every batch is on the disk before it counts (flush.messages=1).</summary>
    public bool FlushesEveryBatch => FlushMessages == 1;

    public bool Preallocate => Value(SettingCatalogue.Preallocate) == "true";

    /// <summary>Bytes of each partition that are kept; null: all.</summary>
    public long? RetentionBytes => Parsed(Value(SettingCatalogue.RetentionBytes)) is >= 0 and var bytes ? bytes : null;

    public int Partitions => Number(SettingCatalogue.Partitions);

    public bool EligibleLeaderReplicas => Value(SettingCatalogue.EligibleLeaderReplicas) == "1";

    public TimeSpan ReplicaLagTime => Duration(SettingCatalogue.ReplicaLagTime);

    public TimeSpan SessionTimeout => Duration(SettingCatalogue.SessionTimeout);

    public TimeSpan HeartbeatInterval => Duration(SettingCatalogue.HeartbeatInterval);

    public TimeSpan ElectionTimeout => Duration(SettingCatalogue.ElectionTimeout);

    public TimeSpan QuorumFetchTimeout => Duration(SettingCatalogue.QuorumFetchTimeout);

    /// <summary>A controller in each broker, instead of controllers as nodes of their own.</summary>
    public bool CombinedRoles => Value(SettingCatalogue.ProcessRoles) == "combined";

    public Commit Commit => Value(SettingCatalogue.Commit) switch { "before" => Commit.Before, "after" => Commit.After, "auto" => Commit.Auto, _ => Commit.None };

    /// <summary>Consumer groups read the topic under test.</summary>
    public bool HasGroups => Commit != Commit.None;

    /// <summary>Members share by the classic group protocol; otherwise by the newer one (KIP-848).</summary>
    public bool HasClassicGroups => Value(SettingCatalogue.GroupProtocol) == "classic";

    public TimeSpan OffsetsRetention => TimeSpan.FromMinutes(Number(SettingCatalogue.OffsetsRetention));

    public TimeSpan OffsetsRetentionCheck => Duration(SettingCatalogue.OffsetsRetentionCheck);

    /// <summary>Brokers a cluster of this configuration needs: three, or as many as there are replicas.</summary>
    public int Brokers => Math.Max(3, ReplicationFactor);

    /// <summary>What was given, in ordinal order of names, canonical values.</summary>
    public IReadOnlyDictionary<string, string> Given => given;

    /// <summary>Every setting with its value, in the catalogue's order.</summary>
    public IEnumerable<KeyValuePair<string, string>> All => SettingCatalogue.All.Select(s => KeyValuePair.Create(s.Name, Value(s.Name)));

    /// <summary>The defaults used here that are not Kafka's, in the catalogue's order. What was given is no default.</summary>
    public IReadOnlyList<DifferentDefault> DifferencesFromKafka =>
        [.. from s in SettingCatalogue.All
            where !given.ContainsKey(s.Name) && s.Default is not null && Value(s.Name) != s.KafkaDefault
            select new DifferentDefault(s.Name, Value(s.Name), s.KafkaDefault, s.Meaning)];

    /// <summary>The configuration with these values, and defaults for the rest. Names and values are checked; the last of one name holds.</summary>
    /// <exception cref="BadInputException">An unknown name, a value not allowed, or values that contradict each other.</exception>
    public static Configuration Of(IEnumerable<KeyValuePair<string, string>> values) => Default.With(values);

    /// <summary>The configuration of <c>name=value</c> words, as <c>--set</c> takes them.</summary>
    /// <exception cref="BadInputException">As <see cref="Of"/>, or a word without '='.</exception>
    public static Configuration OfWords(IEnumerable<string> words) => Of(words.Select(w => Assignment(w, "--set")));

    /// <summary>This configuration with some values replaced.</summary>
    /// <exception cref="BadInputException">As <see cref="Of"/>.</exception>
    public Configuration With(IEnumerable<KeyValuePair<string, string>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var changed = given.ToBuilder();
        foreach (var (name, value) in values)
        {
            var setting = SettingCatalogue.Get(name);
            changed[setting.Name] = setting.Canonical(value);
        }

        return new Configuration(changed.ToImmutable(), usual);
    }

    /// <summary>Other defaults than the catalogue's, for where they do not fit; nothing is given yet.</summary>
    /// <exception cref="BadInputException">As <see cref="Of"/>.</exception>
    public static Configuration Usually(IEnumerable<KeyValuePair<string, string>> defaults) => new(Nothing, Of(defaults).given);

    /// <summary>This configuration with one value replaced.</summary>
    public Configuration With(string name, string value) => With([KeyValuePair.Create(name, value)]);

    /// <summary>The value of a setting in canonical text, given or default.</summary>
    /// <exception cref="BadInputException">No such setting.</exception>
    public string Value(string name)
    {
        var setting = SettingCatalogue.Get(name);
        return given.TryGetValue(setting.Name, out var value) ? value : DefaultOf(setting);
    }

    /// <summary>Defaults make room for what was given: nobody who sets one time-out has to set its partner.</summary>
    private string DefaultOf(Setting setting) => setting.Name switch
    {
        SettingCatalogue.EnableIdempotence => Idempotence ? "true" : "false",
        SettingCatalogue.DeliveryTimeout => AtLeast(setting, SettingCatalogue.RequestTimeout, 1),
        SettingCatalogue.SessionTimeout => AtLeast(setting, SettingCatalogue.HeartbeatInterval, 2),
        SettingCatalogue.HeartbeatInterval when given.TryGetValue(SettingCatalogue.SessionTimeout, out var session) =>
            Text(Math.Clamp(Parsed(session) / 2, 1, Parsed(Usual(setting)))),
        _ => Usual(setting),
    };

    private string Usual(Setting setting) => usual.GetValueOrDefault(setting.Name) ?? setting.Default!;

    private string AtLeast(Setting setting, string partner, int times) =>
        Text(Math.Max(Parsed(Usual(setting)), given.TryGetValue(partner, out var other) ? Parsed(other) * times : 0));

    public bool WasGiven(string name) => given.ContainsKey(name);

    /// <summary>Cuts <c>name=value</c>.</summary>
    /// <param name="option">The option it was given to, for the error.</param>
    /// <exception cref="BadInputException">There is no '=', or no name, or no value.</exception>
    public static KeyValuePair<string, string> Assignment(string word, string option)
    {
        ArgumentNullException.ThrowIfNull(word);
        var cut = word.IndexOf('=');
        if (cut <= 0 || cut == word.Length - 1) throw new BadInputException($"{option} '{word}': expected name=value, as in {option} acks=all");
        return KeyValuePair.Create(word[..cut].Trim(), word[(cut + 1)..].Trim());
    }

    public bool Equals(Configuration? other) => other is not null && All.SequenceEqual(other.All);

    public override bool Equals(object? obj) => Equals(obj as Configuration);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>Every value as <c>name=value</c>, catalogue order: the same text for equal configurations.</summary>
    public override string ToString() => string.Join(' ', All.Select(p => $"{p.Key}={p.Value}"));

    private int Number(string name) => (int)Parsed(Value(name));

    private TimeSpan Duration(string name) => TimeSpan.FromMilliseconds(Parsed(Value(name)));

    private static long Parsed(string number) => long.Parse(number, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
