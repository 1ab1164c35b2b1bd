using Broker.Protocol;

namespace Verify.Clients;

/// <summary>What a client may claim about an operation afterwards.</summary>
public enum OutcomeKind : byte
{
    /// <summary>It happened, as far as the configuration makes a broker say so.</summary>
    Ok,

    /// <summary>It did not happen and never will.</summary>
    Fail,

    /// <summary>It may have happened, or may yet happen.</summary>
    Info,
}

/// <summary>The fate of one record.</summary>
/// <param name="Error">
/// <see cref="ErrorCode.None"/> when ok, else the last broker's answer, or one of the client's own: <see cref="ErrorCode.RequestTimedOut"/> when its
/// time ran out, <see cref="ErrorCode.NetworkException"/> when a connection broke, <see cref="ErrorCode.ThrottlingQuotaExceeded"/> when the client's buffer was full.
/// </param>
/// <param name="Offset">Where the record lies; -1 when unknown, as always with acks=0.</param>
/// <param name="Attempts">How often it left for a broker. More than one: the record was retried.</param>
public readonly record struct SendOutcome(OutcomeKind Kind, ErrorCode Error, long Offset, int Attempts)
{
    public bool WasRetried => Attempts > 1;

    public override string ToString() => Kind is OutcomeKind.Ok ? $"ok at {Offset}" : $"{(Kind is OutcomeKind.Fail ? "fail" : "info")} {Error}";
}

/// <summary>The fate of an administrative operation; <paramref name="Message"/> is the broker's own, if it gave one.</summary>
public readonly record struct AdminOutcome(OutcomeKind Kind, ErrorCode Error, string? Message = null)
{
    public static readonly AdminOutcome Done = new(OutcomeKind.Ok, ErrorCode.None);
}

/// <summary>The answer to a question, which has no side effect: an error means that nobody knew.</summary>
public readonly record struct Answer<T>(ErrorCode Error, T? Value)
{
    public bool IsKnown => Error is ErrorCode.None;
}
