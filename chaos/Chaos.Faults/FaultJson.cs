using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>Faults as JSON: camelCase, words for enums, nodes and partitions as text, durations as numbers of milliseconds. What a fault needs must be there.</summary>
public static class FaultJson
{
    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions { WriteIndented = true });

    /// <summary>Adds what faults need to the options of a larger document.</summary>
    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.AllowOutOfOrderMetadataProperties = true;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.RespectNullableAnnotations = true;
        options.TypeInfoResolver = (options.TypeInfoResolver ?? new DefaultJsonTypeInfoResolver()).WithAddedModifier(RequireWhatFaultsNeed);
        options.Converters.Add(new MillisecondsConverter());
        options.Converters.Add(new TopicPartitionConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower));
        return options;
    }

    /// <summary>What may be null may also be left out, everything else without a default must be there.</summary>
    private static void RequireWhatFaultsNeed(JsonTypeInfo type)
    {
        if (!type.Type.IsAssignableTo(typeof(Fault))) return;
        foreach (var property in type.Properties) property.IsRequired = property.AssociatedParameter is { IsNullable: false, HasDefaultValue: false };
    }
}

/// <summary>A duration as milliseconds; exact to the tick of 100 ns.</summary>
internal sealed class MillisecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number
            ? TimeSpan.FromTicks((long)(reader.GetDecimal() * TimeSpan.TicksPerMillisecond))
            : throw new JsonException("a duration is a number of milliseconds");

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(InMs(value));

    public static decimal InMs(TimeSpan value) => value.Ticks / (decimal)TimeSpan.TicksPerMillisecond;
}

internal sealed class TopicPartitionConverter : JsonConverter<TopicPartition>
{
    public override TopicPartition Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Text.Parse(ref reader, NodeRef.ParsePartition);

    public override void Write(Utf8JsonWriter writer, TopicPartition value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class NodeRefConverter : JsonConverter<NodeRef>
{
    public override NodeRef Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Text.Parse(ref reader, NodeRef.Parse);

    public override void Write(Utf8JsonWriter writer, NodeRef value, JsonSerializerOptions options)
    {
        if (value is NodeRef.Fixed { Id.Value: var id }) writer.WriteNumberValue(id);
        else writer.WriteStringValue(value.ToString());
    }
}

internal sealed class NodeGroupConverter : JsonConverter<NodeGroup>
{
    public override NodeGroup Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(JsonSerializer.Deserialize<NodeRef[]>(ref reader, options) ?? []);

    public override void Write(Utf8JsonWriter writer, NodeGroup value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.ToArray(), options);
}

internal sealed class FaultScheduleConverter : JsonConverter<FaultSchedule>
{
    public override FaultSchedule Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return new FaultSchedule(JsonSerializer.Deserialize<Fault[]>(ref reader, options) ?? []);
        }
        catch (NotSupportedException wrong)                            // how the serializer says that the word is missing
        {
            throw new JsonException($"a fault names its word: \"fault\": one of {string.Join(", ", FaultWord.All)}", wrong);
        }
    }

    public override void Write(Utf8JsonWriter writer, FaultSchedule value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.ToArray(), options);
}

/// <summary><c>{"at": 120}</c> or <c>{"after": "became-leader", "node": 2, "partition": "t-0", "epoch": 3, "other": 1, "size": 1, "count": 4, "delay": 5, "since": 2000}</c>, in ms.</summary>
internal sealed class TriggerConverter : JsonConverter<Trigger>
{
    public override Trigger Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var shape = JsonSerializer.Deserialize<Shape>(ref reader, options) ?? throw new JsonException("a trigger is an object");
        if (shape.At is { } at && shape.After is null) return new Trigger.At(at);
        if (shape.After is not { } after || shape.At is not null) throw new JsonException("a trigger has either 'at' or 'after'");
        NodeId? node = shape.Node is { } id ? new NodeId(id) : null;
        return new Trigger.After(new ObservationPattern(after, node, shape.Partition, shape.Epoch, shape.Other, shape.Size), shape.Count ?? 1, shape.Delay ?? TimeSpan.Zero, shape.Since ?? TimeSpan.Zero);
    }

    public override void Write(Utf8JsonWriter writer, Trigger value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value switch
        {
            Trigger.At(var time) => new Shape { At = time },
            Trigger.After({ } what, var count, var delay, var since) => new Shape
            {
                After = what.Kind, Node = what.Node?.Value, Partition = what.Partition, Epoch = what.Epoch, Other = what.Other, Size = what.Size,
                Count = count == 1 ? null : count, Delay = delay, Since = since == TimeSpan.Zero ? null : since,
            },
            _ => throw new InvalidOperationException($"unknown trigger {value.GetType().Name}"),
        }, options);

    private sealed class Shape
    {
        public TimeSpan? At { get; set; }
        public ObservationKind? After { get; set; }
        public int? Node { get; set; }
        public TopicPartition? Partition { get; set; }
        public int? Epoch { get; set; }
        public int? Other { get; set; }
        public int? Size { get; set; }
        public int? Count { get; set; }
        public TimeSpan? Delay { get; set; }
        public TimeSpan? Since { get; set; }
    }
}

file static class Text
{
    public static T Parse<T>(ref Utf8JsonReader reader, Func<string, T> parse)
    {
        try
        {
            return parse(reader.TokenType switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.Number => reader.GetInt32().ToString(CultureInfo.InvariantCulture),
                _ => throw new JsonException("expected text"),
            });
        }
        catch (FormatException wrong)
        {
            throw new JsonException(wrong.Message, wrong);
        }
    }
}
