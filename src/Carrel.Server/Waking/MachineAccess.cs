using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;

namespace Carrel.Server.Waking;

/// <summary>
/// The one door to a computer's machine for what clients ask for: actions, pictures, files, sockets, ports. Who comes through has
/// proved before that it may. From here to the end of the request the computer is in use, so that no auto-stop takes it away;
/// and where it does not run and has <c>auto_start</c>, it is started first, once for all who wait.
/// </summary>
internal sealed partial class MachineAccess(Lifecycle lifecycle, Access access, ILogger<MachineAccess> log)
{
    private readonly Dictionary<string, Task<Outcome<MachineSession>>> _waking = new(StringComparer.Ordinal);

    /// <param name="mayWake">False for who may only look: they start nothing.</param>
    public ValueTask<Outcome<MachineSession>> EnterAsync(HttpContext context, Computer computer, bool mayWake = true)
    {
        UseTracking.Enter(context, computer);
        return computer.State.Usable is { } session ? new((Outcome<MachineSession>)session) : new(WokenAsync(context, computer, mayWake && MayUse(context, computer)));
    }

    /// <summary>The same for calls that only look at what there is: they start nothing, and where they say so, are no use either.</summary>
    public static Outcome<MachineSession> EnterRunning(HttpContext context, Computer computer)
    {
        if (!UseTracking.IsPassive(context.Request))
        {
            UseTracking.Enter(context, computer);
        }

        return (computer.State.Usable ?? computer.SettledState.Usable) is { } session ? session : ComputerLookup.NotRunning(computer);
    }

    private async Task<Outcome<MachineSession>> WokenAsync(HttpContext context, Computer computer, bool mayWake)
    {
        var state = computer.SettledState;
        if (state.Usable is { } session)
        {
            return session;
        }

        if (!mayWake || !state.Record.AutoStart || state.Status is ComputerStatus.Deleting or ComputerStatus.Error)
        {
            return ComputerLookup.NotRunning(computer);
        }

        return await Waking(computer).WaitAsync(context.RequestAborted);
    }

    /// <summary>Who comes with the computer's own secret or a signed link has no account, and may.</summary>
    private bool MayUse(HttpContext context, Computer computer) => context.Features.Get<Caller>() is not { } caller
        || access.Allows(caller, ActionClass.Use, computer.State.Record.AccountId, computer.State.Record.WorkspaceId);

    private Task<Outcome<MachineSession>> Waking(Computer computer)
    {
        lock (_waking)
        {
            if (!_waking.TryGetValue(computer.Id, out var waking))
            {
                _waking[computer.Id] = waking = WakeAsync(computer);
            }

            return waking;
        }
    }

    private async Task<Outcome<MachineSession>> WakeAsync(Computer computer)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Never under the lock.
        try
        {
            var begun = await lifecycle.BeginAsync(computer, ComputerCommand.EnsureRunning);
            if (!begun.Succeeded)
            {
                return ComputerLookup.NotRunning(computer); // It is being deleted by now.
            }

            if (begun.Value is { } operation)
            {
                Woken(log, computer.State.Record.InstanceId);
                var done = await operation.Done;
                if (!done.Succeeded)
                {
                    return NotWoken(computer, done.Failure);
                }
            }

            return computer.SettledState.Usable is { } session
                ? session
                : NotWoken(computer, new Failure(ErrorCodes.LaunchFailed, "It ended again at once."));
        }
        finally
        {
            lock (_waking)
            {
                _waking.Remove(computer.Id);
            }
        }
    }

    private static Failure NotWoken(Computer computer, Failure why) => new(
        ErrorCodes.WakeFailed,
        $"Computer {computer.State.Record.Name} does not run and could not be started for this call, which was not carried out: {why.Message}",
        why.Remedy);

    [LoggerMessage(1250, LogLevel.Information, "Computer {Instance}: started because a call needs it")]
    private static partial void Woken(ILogger log, string instance);
}
