namespace Broker.Core.Controller;

/// <summary>Which names topics may have. Source: Kafka's <c>Topic.validate</c>.</summary>
public static class TopicNames
{
    public const int MaxLength = 249;

    /// <summary>Null when the name is fine, else one sentence saying what is wrong.</summary>
    public static string? Refuse(string name)
    {
        if (name.Length == 0) return "Topic name is invalid: the empty string is not allowed";
        if (name is "." or "..") return $"Topic name is invalid: '{name}' is not allowed";
        if (name.Length > MaxLength) return $"Topic name is invalid: the length of '{name}' is longer than the max allowed length {MaxLength}";
        foreach (var letter in name)
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '_' or '-'))
                return $"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
        return null;
    }

    /// <summary>Names that differ only by dots and underscores would have the same metrics, so Kafka refuses the second.</summary>
    public static bool Collide(string one, string other) => one != other && one.Replace('.', '_') == other.Replace('.', '_');
}
