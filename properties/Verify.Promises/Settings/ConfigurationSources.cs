namespace Verify.Promises;

/// <summary>Why a line of the input did not simply become a value.</summary>
public enum NoteKind
{
    /// <summary>Kafka's setting, but nothing here depends on it.</summary>
    NotModelled,

    /// <summary>Kafka does not know it either; it would be ignored with a warning.</summary>
    Unknown,

    /// <summary>The value leaves open what the application does; the usual is assumed.</summary>
    Assumed,

    /// <summary>A later file or <c>--set</c> gave another value, which holds.</summary>
    Overridden,
}

/// <summary>A remark about one setting of the input. Source is <c>file:line</c> or <c>--set</c>.</summary>
public sealed record InputNote(NoteKind Kind, string Name, string Source, string Message);

/// <summary>A configuration read from property files and <c>--set</c>, with what was left aside on the way.</summary>
/// <param name="Assumed">
/// Settings nobody gave that were taken from Kafka's defaults, since property files describe a Kafka: one that says nothing of
/// min.insync.replicas has 1, whatever our default is. Empty without files.
/// </param>
public sealed record ConfigurationInput(Configuration Configuration, IReadOnlyList<string> Assumed, IReadOnlyList<InputNote> Notes)
{
    /// <summary>
    /// Reads files in the order given, then the words of <c>--set</c>; the last value of a setting holds. A topic's own name of a setting
    /// beats the broker's name for its default (<c>flush.messages</c> over <c>log.flush.interval.messages</c>) wherever they stand.
    /// </summary>
    /// <param name="files">Name and text of each property file.</param>
    /// <param name="words"><c>name=value</c> words; only these may not be unknown.</param>
    /// <exception cref="BadInputException">A value not allowed (named with file and line), an unknown name in a word, contradicting values.</exception>
    public static ConfigurationInput Read(IReadOnlyCollection<(string Name, string Text)> files, IEnumerable<string> words)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(words);
        var reading = new Reading();
        foreach (var (name, text) in files)
            foreach (var property in PropertiesFile.Parse(text, name)) reading.Take(property.Name, property.Value, $"{name}:{property.Line}", mayBeUnknown: true);
        foreach (var word in words)
        {
            var (name, value) = Configuration.Assignment(word, "--set");
            reading.Take(name, value, "--set", mayBeUnknown: false);
        }

        var assumed = files.Count == 0 ? [] : reading.AssumeKafkas();
        return new ConfigurationInput(reading.Configuration(), assumed, reading.Notes);
    }

    private sealed class Reading
    {
        private readonly SortedDictionary<string, (string Value, string Source, bool IsBrokerDefault)> values = new(StringComparer.Ordinal);

        public List<InputNote> Notes { get; } = [];

        public Configuration Configuration() => Promises.Configuration.Of(values.Select(v => KeyValuePair.Create(v.Key, v.Value.Value)));

        /// <summary>Where a default is derived (idempotence), Kafka derives it the same way.</summary>
        public List<string> AssumeKafkas()
        {
            var assumed = new List<string>();
            foreach (var setting in SettingCatalogue.All)
                if (setting is { Default: not null, KafkaDefault: { } kafkas } && values.TryAdd(setting.Name, (kafkas, "Kafka's default", true))) assumed.Add(setting.Name);
            return assumed;
        }

        public void Take(string name, string text, string source, bool mayBeUnknown)
        {
            if (SettingCatalogue.Find(name) is not { } setting)
            {
                LeaveAside(name, source, mayBeUnknown);
                return;
            }

            var value = Canonical(setting, text, source);
            if (name == SettingCatalogue.EnableAutoCommit && value == "after")
                Notes.Add(new InputNote(NoteKind.Assumed, name, source, $"{name}=false: the application is taken to commit after processing; if it commits first, say --set {setting.Name}=before"));
            var isBrokerDefault = name != setting.Name;
            if (!values.TryGetValue(setting.Name, out var earlier))
            {
                values[setting.Name] = (value, source, isBrokerDefault);
                return;
            }

            var keepsEarlier = isBrokerDefault && !earlier.IsBrokerDefault;
            var (kept, left) = keepsEarlier ? (earlier, (Value: value, Source: source)) : ((value, source, isBrokerDefault), (earlier.Value, earlier.Source));
            values[setting.Name] = kept;
            if (kept.Item1 != left.Value)
                Notes.Add(new InputNote(NoteKind.Overridden, setting.Name, left.Source, $"{setting.Name}={left.Value} is overridden by {kept.Item1} ({kept.Item2})"));
        }

        private void LeaveAside(string name, string source, bool mayBeUnknown)
        {
            if (KafkaNames.Knows(name))
            {
                Notes.Add(new InputNote(NoteKind.NotModelled, name, source, $"{name}: not modelled, no effect on this promise"));
                return;
            }

            if (!mayBeUnknown) _ = SettingCatalogue.Get(name);
            var near = Nearest.To(name, SettingCatalogue.Names) ?? Nearest.To(name, KafkaNames.All);
            Notes.Add(new InputNote(NoteKind.Unknown, name, source, $"{name}: not a setting of Kafka's, ignored{(near is null ? "" : $"; did you mean '{near}'?")}"));
        }

        private static string Canonical(Setting setting, string text, string source)
        {
            try
            {
                return setting.Canonical(text);
            }
            catch (BadInputException refused) when (source != "--set")
            {
                throw new BadInputException($"{source}: {refused.Message}");
            }
        }
    }
}
