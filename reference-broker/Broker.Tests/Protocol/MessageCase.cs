using System.Collections;
using System.Reflection;
using Broker.Protocol;

namespace Broker.Tests.Protocol;

/// <summary>One side of one API in one version, and what tests do with it.</summary>
internal sealed record MessageCase(Api Api, bool IsRequest, short Version)
{
    public static IEnumerable<MessageCase> All()
    {
        foreach (var api in Apis.All)
            for (var version = api.Versions.Min; version <= api.Versions.Max; version++)
            {
                yield return new MessageCase(api, true, version);
                yield return new MessageCase(api, false, version);
            }
    }

    public IMessage Fill(ulong seed) => RandomFiller.Fill(Api, IsRequest, Version, seed);

    public byte[] Encode(IMessage message) => IsRequest
        ? RequestFrame.Encode(message, Api.Key, Version, 77, "client")
        : ResponseFrame.Encode(message, Api.Key, Version, 77);

    public IMessage Decode(byte[] frame)
    {
        if (!IsRequest) return ResponseFrame.Decode(frame, Api.Key, Version);
        var header = RequestFrame.ReadHeader(frame);
        return RequestFrame.Decode(frame, header);
    }

    /// <summary>Decodes bytes of any origin: false when they are refused as they should be. Any other exception fails the test.</summary>
    public bool TryDecode(byte[] frame)
    {
        try
        {
            Decode(frame);
            return true;
        }
        catch (MalformedFrameException)
        {
            return false;
        }
    }

    public override string ToString() => new FrameSubject(Api.Key, Version, IsRequest).ToString();

    /// <summary>Null when two messages have equal fields all the way down, else the path of the first that differs.</summary>
    public static string? Difference(object? a, object? b, string path = "")
    {
        if (a is null || b is null) return a is null && b is null ? null : path;
        if (a.GetType() != b.GetType()) return path;
        if (a is ReadOnlyMemory<byte> bytes) return bytes.Span.SequenceEqual(((ReadOnlyMemory<byte>)b).Span) ? null : path;
        if (a is IList list)
        {
            var other = (IList)b;
            if (list.Count != other.Count) return $"{path}.Count";
            for (var i = 0; i < list.Count; i++)
                if (Difference(list[i], other[i], $"{path}[{i}]") is { } inside) return inside;
            return null;
        }
        if (a is not IMessage) return a.Equals(b) ? null : path;
        foreach (var field in a.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance))
            if (Difference(field.GetValue(a), field.GetValue(b), $"{path}.{field.Name}") is { } inside) return inside;
        return null;
    }
}
