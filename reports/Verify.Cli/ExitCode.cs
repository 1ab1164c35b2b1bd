using Verify.Checkers;

namespace Verify.Cli;

/// <summary>What the program ends with; scripts rely on it.</summary>
public static class ExitCode
{
    /// <summary>Every promise held.</summary>
    public const int Held = 0;

    /// <summary>A promise was broken, or a hunt left a mutant alive that nobody explains.</summary>
    public const int Broken = 1;

    /// <summary>Not exercised, or it cannot be told. Never 0.</summary>
    public const int Unknown = 2;

    /// <summary>Bad arguments or input.</summary>
    public const int BadInput = 254;

    /// <summary>The tool itself failed.</summary>
    public const int Failed = 255;

    public static int Of(Campaign.Results.ResultVerdict verdict) => verdict switch
    {
        Campaign.Results.ResultVerdict.Held => Held,
        Campaign.Results.ResultVerdict.Violated => Broken,
        Campaign.Results.ResultVerdict.Unknown => Unknown,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "no such verdict"),
    };

    public static int Of(Verdict verdict) => verdict switch
    {
        Verdict.Held => Held,
        Verdict.Violated => Broken,
        Verdict.Unknown => Unknown,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "no such verdict"),
    };
}
