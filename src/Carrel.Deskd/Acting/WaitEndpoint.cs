using Carrel.Contracts;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Http;
using static Carrel.Deskd.Input.InputFields;

namespace Carrel.Deskd.Acting;

/// <summary><c>POST /wait</c>: the request takes as long as asked for.</summary>
internal sealed class WaitEndpoint(TimeProvider time)
{
    public async Task<ActionResult> WaitAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        if (!body.Has(Seconds) && !body.Has(WaitDuration))
        {
            return Reply.Error(400, ErrorCodes.MissingField, "seconds is required", Seconds.Name);
        }

        var seconds = body.Has(Seconds) ? body.Read(Seconds) : body.Read(WaitDuration);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        await Task.Delay(TimeSpan.FromSeconds(seconds), time, exchange.Aborted);
        return ActionResult.Done("wait", json => json.WriteNumber("seconds"u8, seconds));
    }
}
