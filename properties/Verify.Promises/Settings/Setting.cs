using System.Collections.Immutable;
using System.Globalization;

namespace Verify.Promises;

/// <summary>Where Kafka keeps a setting.</summary>
public enum SettingScope
{
    Cluster,
    Broker,
    Topic,
    Producer,
    Consumer,
}

/// <summary>What values a setting takes.</summary>
public enum SettingType
{
    Boolean,
    Number,
    Milliseconds,
    Word,
}

/// <summary>One setting under the name Kafka gives it.</summary>
/// <param name="Default">Our default in canonical text; null when it follows from other settings (<see cref="Configuration"/> says how).</param>
/// <param name="KafkaDefault">The default of Kafka 4.3; null when Kafka has none.</param>
/// <param name="Least">Smallest number allowed, inclusive.</param>
/// <param name="Most">Largest number allowed, inclusive.</param>
/// <param name="Words">The words allowed, for <see cref="SettingType.Word"/>.</param>
/// <param name="Spellings">Other spellings of a word, as (spelling, word).</param>
/// <param name="OtherNames">Names under which other files keep the same setting, as the broker-wide default of a topic setting.</param>
public sealed record Setting(
    string Name,
    SettingType Type,
    SettingScope Scope,
    string? Default,
    string? KafkaDefault,
    string Meaning,
    long Least = 0,
    long Most = long.MaxValue,
    ImmutableArray<string> Words = default,
    ImmutableArray<(string Spelling, string Word)> Spellings = default,
    ImmutableArray<string> OtherNames = default)
{
    /// <summary>The value in canonical text (<c>-1</c> of acks becomes <c>all</c>).</summary>
    /// <exception cref="BadInputException">The value is not one this setting takes.</exception>
    public string Canonical(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var text = value.Trim();
        return Type switch
        {
            SettingType.Boolean => Word(text, ["false", "true"]),
            SettingType.Word => Word(text, Words),
            SettingType.Number or SettingType.Milliseconds => Number(text),
            _ => throw new InvalidOperationException($"no such setting type: {Type}"),
        };
    }

    /// <summary>The values allowed, for help and errors: <c>0, 1, all</c> or <c>1..32</c>.</summary>
    public string Allowed => Type switch
    {
        SettingType.Boolean => "false, true",
        SettingType.Word => string.Join(", ", Words),
        _ => Most == long.MaxValue ? $"{Least} or more" : $"{Least}..{Most}",
    };

    private string Word(string text, IReadOnlyList<string> words)
    {
        foreach (var word in words)
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase)) return word;
        if (!Spellings.IsDefault)
        {
            foreach (var (spelling, word) in Spellings)
                if (spelling.Equals(text, StringComparison.OrdinalIgnoreCase)) return word;
        }

        throw new BadInputException($"{Name}: '{text}' is not one of {Allowed}{Nearest.Hint(text, [.. words, .. Spellings.IsDefault ? [] : Spellings.Select(s => s.Spelling)])}");
    }

    private string Number(string text)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            throw new BadInputException(
                $"{Name}: '{text}' is not a whole number{(Type == SettingType.Milliseconds ? " of milliseconds" : "")}, allowed: {Allowed}");
        }

        if (number < Least || number > Most)
            throw new BadInputException($"{Name}: {number} is out of range, allowed: {Allowed}, nearest: {Math.Clamp(number, Least, Most)}");
        return number.ToString(CultureInfo.InvariantCulture);
    }
}
