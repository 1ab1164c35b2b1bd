using Broker.Embedded;
using Verify.Promises;

namespace Verify.Cli.Servers;

/// <summary>A server's settings from a property file, the environment and the command line; later ones go before earlier ones.</summary>
/// <param name="Settings">Those that have an effect, under Kafka's names.</param>
/// <param name="WithoutEffect">Kafka's own names that this broker has no use for, in ordinal order.</param>
internal sealed record ServerSources(IReadOnlyDictionary<string, string> Settings, IReadOnlyList<string> WithoutEffect)
{
    private const string Prefix = "KAFKA_";

    /// <summary>Variables of Kafka's scripts, not settings of the server.</summary>
    private static readonly string[] ScriptVariables =
        ["KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_LOG4J_ROOT_LOGLEVEL", "KAFKA_LOG4J_LOGGERS", "KAFKA_TOOLS_LOG4J_LOGLEVEL", "KAFKA_GC_LOG_OPTS", "KAFKA_JMX_OPTS", "KAFKA_JMX_PORT", "KAFKA_JMX_HOSTNAME", "KAFKA_DEBUG", "KAFKA_HOME", "KAFKA_VERSION", "KAFKA_CLUSTER_ID"];

    /// <param name="file">Name and text of a property file; null: none.</param>
    /// <param name="environment">All variables; those of the form KAFKA_NODE_ID are read: one underscore is a dot, two are one, three are a dash.</param>
    /// <param name="flags">From the command line, names checked here.</param>
    /// <exception cref="BadInputException">A name that is neither this broker's nor Kafka's, with the nearest one that is.</exception>
    public static ServerSources Read((string Name, string Text)? file, IEnumerable<KeyValuePair<string, string>> environment, IEnumerable<KeyValuePair<string, string>> flags)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var without = new SortedSet<string>(StringComparer.Ordinal);
        if (file is var (name, text))
            foreach (var line in PropertiesFile.Parse(text, name)) Take($"{name}:{line.Line}: ", line.Name, line.Name, line.Value);
        foreach (var (variable, value) in environment.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            if (variable.StartsWith(Prefix, StringComparison.Ordinal) && !ScriptVariables.Contains(variable)) Take("environment: ", variable, NameOf(variable), value);
        foreach (var (flag, value) in flags) Take("", flag, flag, value);
        return new ServerSources(settings, [.. without]);

        void Take(string source, string written, string setting, string value)
        {
            if (ServerProperties.Names.Contains(setting)) settings[setting] = value;
            else if (KafkaNames.Knows(setting)) without.Add(setting);
            else throw new BadInputException($"{source}unknown setting '{written}'{Hint(setting, written != setting)}");
        }
    }

    private static string Hint(string setting, bool isVariable)
    {
        var near = Nearest.To(setting, ServerProperties.Names) ?? Nearest.To(setting, KafkaNames.All);
        return near is null ? "" : $"; did you mean '{(isVariable ? VariableOf(near) : near)}'?";
    }

    /// <summary>KAFKA_LOG_DIRS is log.dirs. Source: Kafka's and Confluent's container images.</summary>
    private static string NameOf(string variable) =>
        variable[Prefix.Length..].ToLowerInvariant().Replace("___", "-", StringComparison.Ordinal).Replace("__", "\0", StringComparison.Ordinal).Replace('_', '.').Replace('\0', '_');

    private static string VariableOf(string name) => Prefix + name.Replace("_", "__", StringComparison.Ordinal).Replace("-", "___", StringComparison.Ordinal).Replace('.', '_').ToUpperInvariant();
}
