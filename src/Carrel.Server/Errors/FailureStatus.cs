using Carrel.Contracts;

namespace Carrel.Server.Errors;

/// <summary>The one place where a failure's code becomes an HTTP status.</summary>
internal static class FailureStatus
{
    public static int Of(string code) => code switch
    {
        ErrorCodes.InvalidJson or ErrorCodes.InvalidField or ErrorCodes.MissingField or ErrorCodes.NotSupported or ErrorCodes.NotClonable => 400,
        ErrorCodes.MissingKey or ErrorCodes.InvalidKey or ErrorCodes.InvalidCredentials => 401,
        ErrorCodes.AccessDenied or ErrorCodes.WorkspaceScopeMismatch => 403,
        ErrorCodes.PlanUpgradeRequired or ErrorCodes.PlanLimit or ErrorCodes.DesktopLimit or ErrorCodes.PerComputerRamCap or ErrorCodes.PerComputerCpuCap
            or ErrorCodes.RamAddon or ErrorCodes.VcpuAddon or ErrorCodes.DiskQuotaExceeded => 403,
        ErrorCodes.NotFound => 404,
        ErrorCodes.MethodNotAllowed => 405,
        ErrorCodes.NameTaken or ErrorCodes.AlreadyRunning or ErrorCodes.AlreadyStopped or ErrorCodes.AlreadySuspended or ErrorCodes.NotSuspended
            or ErrorCodes.NotRunning or ErrorCodes.Busy or ErrorCodes.AlreadyStreaming or ErrorCodes.AlreadyRecording or ErrorCodes.RecordingUnfinished
            or ErrorCodes.ScreenLimit or ErrorCodes.SnapshotLimit => 409,
        ErrorCodes.IsADirectory or ErrorCodes.NotADirectory or ErrorCodes.NotEmpty or ErrorCodes.AlreadyExists or ErrorCodes.NotAFile or ErrorCodes.LinkLoop => 409,
        ErrorCodes.PayloadTooLarge => 413,
        ErrorCodes.UnsupportedMediaType => 415,
        ErrorCodes.RangeNotSatisfiable => 416,
        // It was tried and surely is not there: what is at fault is the target or the computer, and a client need not repeat by itself.
        ErrorCodes.StreamFailed or ErrorCodes.RecordingFailed or ErrorCodes.ResizeFailed or ErrorCodes.IdempotencyKeyReused => 422,
        // Not a 409 and not a 5xx: common clients repeat both, and this may already have happened.
        ErrorCodes.OutcomeUnknown => 424,
        ErrorCodes.UpgradeRequired => 426,
        ErrorCodes.RateLimited => 429,
        ErrorCodes.DesktopFailed or ErrorCodes.PortClosed => 502,
        ErrorCodes.DesktopUnreachable or ErrorCodes.HostNotReady or ErrorCodes.WakeFailed => 503,
        ErrorCodes.DesktopTimeout => 504,
        ErrorCodes.HostDiskFull or ErrorCodes.DiskFull => 507,
        _ => 500,
    };

    /// <summary>Seconds after which asking again makes sense, or null where it makes none.</summary>
    public static int? RetryAfter(string code) => code switch
    {
        ErrorCodes.Busy or ErrorCodes.DesktopUnreachable => 1,
        ErrorCodes.HostNotReady or ErrorCodes.RateLimited or ErrorCodes.WakeFailed => 2,
        _ => null,
    };
}
