using System.Buffers.Binary;

namespace Broker.Protocol;

/// <summary>What stands before the body of a request.</summary>
/// <param name="Key">May be one that is not spoken here: see <see cref="Apis.Find"/>.</param>
/// <param name="Version">May lie outside the API's range.</param>
/// <param name="BodyOffset">Byte of the frame at which the body starts.</param>
public readonly record struct RequestHeader(ApiKey Key, short Version, int CorrelationId, string? ClientId, int BodyOffset);

/// <summary>Requests as frames. A frame has no length prefix.</summary>
public static class RequestFrame
{
    /// <exception cref="ArgumentException">The message cannot be written in this version: a bug of the caller.</exception>
    public static byte[] Encode<TRequest>(TRequest request, short version, int correlationId, string? clientId) where TRequest : IRequest =>
        Encode(request, TRequest.Key, version, correlationId, clientId);

    /// <summary>The same where the type of the request is not known at compile time.</summary>
    public static byte[] Encode<TRequest>(TRequest request, ApiKey key, short version, int correlationId, string? clientId) where TRequest : IMessage
    {
        var api = Apis.Get(key);
        var subject = new FrameSubject(key, version, IsRequest: true);
        if (!api.Versions.Contains(version)) throw new ArgumentException($"{subject}: only {api.Versions} are spoken here");
        var flexible = api.IsFlexible(version);

        var sizer = new FrameSizer(flexible, subject);
        sizer.ClassicString(clientId, nameof(clientId));
        if (flexible) sizer.EndOfFields();
        request.Visit(ref sizer, version);

        var frame = new byte[8 + sizer.Size];
        BinaryPrimitives.WriteInt16BigEndian(frame, (short)key);
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(2), version);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), correlationId);
        var writer = new FrameWriter(frame, 8, flexible);
        writer.ClassicString(clientId);
        if (flexible) writer.EndOfFields();
        request.Visit(ref writer, version);
        return frame;
    }

    /// <summary>Reads the header alone, so that an API or version which is not spoken here can be answered or refused by name.</summary>
    /// <exception cref="MalformedFrameException"/>
    public static RequestHeader ReadHeader(byte[] frame)
    {
        if (frame.Length < 8) throw new MalformedFrameException($"request header needs 8 bytes where the frame has {frame.Length}", frame.Length);
        var key = (ApiKey)BinaryPrimitives.ReadInt16BigEndian(frame);
        var version = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(2));
        var correlationId = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4));
        var flexible = Apis.Find(key) is { } api && api.IsFlexible(version);
        var reader = new FrameReader(frame, 8, flexible, new FrameSubject(key, version, IsRequest: true));
        var clientId = reader.ClassicString(nameof(RequestHeader.ClientId));
        reader.EndOfFields();
        return new RequestHeader(key, version, correlationId, clientId, reader.Position);
    }

    /// <exception cref="MalformedFrameException">Also when the header names another API than <typeparamref name="TRequest"/>, or a version that is not spoken here.</exception>
    public static TRequest Decode<TRequest>(byte[] frame, in RequestHeader header) where TRequest : IRequest, new()
    {
        if (header.Key != TRequest.Key) throw new MalformedFrameException($"{header.Key} request where {TRequest.Key} is read", 0);
        return Body.Read(new TRequest(), frame, header.BodyOffset, Apis.Get(header.Key), header.Version, isRequest: true);
    }

    /// <summary>The same where the type of the request is not known at compile time.</summary>
    /// <exception cref="MalformedFrameException">Also for an API or a version that is not spoken here.</exception>
    public static IMessage Decode(byte[] frame, in RequestHeader header)
    {
        var api = Apis.Find(header.Key) ?? throw new MalformedFrameException($"request of API key {(short)header.Key}, which is not spoken here", 0);
        return Body.Read(api.NewRequest(), frame, header.BodyOffset, api, header.Version, isRequest: true);
    }
}

/// <summary>Answers as frames. A frame has no length prefix.</summary>
public static class ResponseFrame
{
    /// <exception cref="ArgumentException">The message cannot be written in this version: a bug of the caller.</exception>
    public static byte[] Encode<TResponse>(TResponse response, short version, int correlationId) where TResponse : IResponse =>
        Encode(response, TResponse.Key, version, correlationId);

    /// <summary>The same where the type of the answer is not known at compile time.</summary>
    public static byte[] Encode<TResponse>(TResponse response, ApiKey key, short version, int correlationId) where TResponse : IMessage
    {
        var api = Apis.Get(key);
        var subject = new FrameSubject(key, version, IsRequest: false);
        if (!api.Versions.Contains(version)) throw new ArgumentException($"{subject}: only {api.Versions} are spoken here");
        var flexible = api.IsFlexible(version);

        var sizer = new FrameSizer(flexible, subject);
        response.Visit(ref sizer, version);

        var start = api.HasFlexibleResponseHeader(version) ? 5 : 4;            // the fifth byte says: no tagged fields
        var frame = new byte[start + sizer.Size];
        BinaryPrimitives.WriteInt32BigEndian(frame, correlationId);
        var writer = new FrameWriter(frame, start, flexible);
        response.Visit(ref writer, version);
        return frame;
    }

    /// <exception cref="MalformedFrameException"/>
    public static int ReadCorrelationId(byte[] frame) =>
        frame.Length >= 4 ? BinaryPrimitives.ReadInt32BigEndian(frame) : throw new MalformedFrameException($"response header needs 4 bytes where the frame has {frame.Length}", frame.Length);

    /// <param name="version">The version that was asked for. An ApiVersions answer that refuses it is read as the v0 that it is.</param>
    /// <exception cref="MalformedFrameException"/>
    public static TResponse Decode<TResponse>(byte[] frame, short version) where TResponse : IResponse, new() =>
        Read(new TResponse(), frame, Apis.Get(TResponse.Key), version);

    /// <summary>The same where the type of the answer is not known at compile time.</summary>
    /// <exception cref="MalformedFrameException"/>
    public static IMessage Decode(byte[] frame, ApiKey key, short version)
    {
        var api = Apis.Get(key);
        return Read(api.NewResponse(), frame, api, version);
    }

    private static TResponse Read<TResponse>(TResponse response, byte[] frame, Api api, short version) where TResponse : IMessage
    {
        ReadCorrelationId(frame);
        if (api.Key == ApiKey.ApiVersions && frame.Length >= 6 && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(4)) == (short)ErrorCode.UnsupportedVersion) version = 0;
        var header = new FrameReader(frame, 4, api.HasFlexibleResponseHeader(version), new FrameSubject(api.Key, version, IsRequest: false));
        header.EndOfFields();
        return Body.Read(response, frame, header.Position, api, version, isRequest: false);
    }
}

internal static class Body
{
    public static TMessage Read<TMessage>(TMessage message, byte[] frame, int offset, Api api, short version, bool isRequest) where TMessage : IMessage
    {
        var subject = new FrameSubject(api.Key, version, isRequest);
        if (!api.Versions.Contains(version)) throw new MalformedFrameException($"{subject}: only {api.Versions} are spoken here", 2);
        var reader = new FrameReader(frame, offset, api.IsFlexible(version), subject);
        message.Visit(ref reader, version);
        reader.EndOfFrame();
        return message;
    }
}
