namespace Broker.Protocol;

/// <summary>Bytes that are no message: the peer is broken or lying. The connection they came over should be closed; nothing else is affected.</summary>
/// <param name="message">What was read, which field, at which byte of the frame, and what is wrong with it.</param>
/// <param name="position">Byte of the frame, or of the buffer of records, at which reading stopped.</param>
public sealed class MalformedFrameException(string message, int position) : Exception(message)
{
    public int Position { get; } = position;
}
