namespace Carrel.Contracts;

/// <summary>The stable <c>code</c> values of error answers (reference sections 1.2 and 25). Add here, nowhere else.</summary>
public static class ErrorCodes
{
    public const string InvalidJson = "invalid_json";
    public const string InvalidField = "invalid_field";
    public const string MissingField = "missing_field";
    public const string NotFound = "not_found";
    public const string MethodNotAllowed = "method_not_allowed";
    public const string MissingKey = "missing_api_key";
    public const string InvalidKey = "invalid_api_key";

    /// <summary>A wrong e-mail address or password, or a link that is used up.</summary>
    public const string InvalidCredentials = "invalid_credentials";
    public const string AccessDenied = "access_denied";
    public const string WorkspaceScopeMismatch = "workspace_scope_mismatch";
    public const string NameTaken = "name_taken";
    public const string AlreadyRunning = "already_running";
    public const string AlreadyStopped = "already_stopped";
    public const string AlreadySuspended = "already_suspended";
    public const string NotSuspended = "not_suspended";
    public const string NotRunning = "not_running";
    public const string Busy = "busy";

    /// <summary>A call would have started its computer, and that failed: the call was not carried out.</summary>
    public const string WakeFailed = "wake_failed";

    /// <summary>The Idempotency-Key was used for another request before.</summary>
    public const string IdempotencyKeyReused = "idempotency_key_reused";
    public const string PayloadTooLarge = "payload_too_large";
    public const string UnsupportedMediaType = "unsupported_media_type";
    public const string UpgradeRequired = "upgrade_required";
    public const string RateLimited = "rate_limited";
    public const string DesktopUnreachable = "desktop_unreachable";

    /// <summary>An action was sent and its answer was lost: it may have happened, so a blind repeat is wrong.</summary>
    public const string OutcomeUnknown = "outcome_unknown";
    public const string DesktopTimeout = "desktop_timeout";
    public const string DesktopFailed = "desktop_failed";
    public const string HostDiskFull = "host_disk_full";
    public const string HostNotReady = "host_not_ready";
    public const string LaunchFailed = "launch_failed";

    /// <summary>One stream at a time: it is already streaming.</summary>
    public const string AlreadyStreaming = "already_streaming";

    /// <summary>The stream did not come to be: its target refused it or could not be reached, or the picture could not be taken.</summary>
    public const string StreamFailed = "stream_failed";

    /// <summary>One recording at a time: there is one under way.</summary>
    public const string AlreadyRecording = "already_recording";
    public const string RecordingFailed = "recording_failed";

    /// <summary>The recording is still being made, or waits for its computer to run again.</summary>
    public const string RecordingUnfinished = "recording_unfinished";

    /// <summary>Reference section 1.2: there is no disk that could be copied.</summary>
    public const string NotClonable = "NOT_CLONABLE";
    public const string SnapshotLimit = "snapshot_limit";
    public const string NotSupported = "not_supported";
    public const string ScreenLimit = "screen_limit";
    public const string PortClosed = "port_closed";
    public const string IsADirectory = "is_a_directory";
    public const string NotADirectory = "not_a_directory";
    public const string NotEmpty = "not_empty";
    public const string AlreadyExists = "already_exists";

    /// <summary>A pipe, a socket or a device: it has no contents to read or write.</summary>
    public const string NotAFile = "not_a_file";
    public const string LinkLoop = "link_loop";

    /// <summary>No dimension of a resize could be applied.</summary>
    public const string ResizeFailed = "resize_failed";
    public const string RangeNotSatisfiable = "range_not_satisfiable";

    /// <summary>The computer's own disk, not the host's.</summary>
    public const string DiskFull = "disk_full";

    /// <summary>What a plan does not allow; in capitals, as known clients expect them (reference section 1.2).</summary>
    public const string PlanUpgradeRequired = "UPGRADE_REQUIRED";
    public const string PlanLimit = "PLAN_LIMIT";
    public const string DesktopLimit = "DESKTOP_LIMIT";
    public const string PerComputerRamCap = "PER_COMPUTER_RAM_CAP";
    public const string PerComputerCpuCap = "PER_COMPUTER_CPU_CAP";
    public const string RamAddon = "RAM_ADDON";
    public const string VcpuAddon = "VCPU_ADDON";
    public const string DiskQuotaExceeded = "DISK_QUOTA_EXCEEDED";
    public const string Internal = "internal_error";
}
